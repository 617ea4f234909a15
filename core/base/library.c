/* SPDX-License-Identifier: Apache-2.0
 *
 * A library by dlopen(), call by call.
 */
#include "core/base/library.h"

#include <dlfcn.h>
#include <string.h>

int library_load(const char *file, const struct library_call *calls, size_t n,
                 struct err *err)
{
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);

    for (size_t i = 0; library && i < n; i++) {
        void *at = dlsym(library, calls[i].name);

        if (!at)
            library = NULL; /* it stays: nobody can say who uses it */
        else
            /* C has no way from a pointer to data to one to code */
            memcpy(calls[i].call, &at, sizeof(at));
    }
    return library ? 0
                   : err_set(err, CAUSE_SYSTEM, "%s is wanted: %s", file,
                             dlerror());
}
