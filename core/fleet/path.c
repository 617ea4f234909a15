/* SPDX-License-Identifier: Apache-2.0
 *
 * Words about paths; touches no file.
 */
#include "core/fleet/path.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *join(const char *folder, const char *path)
{
    size_t len = strlen(folder);
    char *joined = NULL;

    while (len > 0 && folder[len - 1] == '/')
        len--;
    if (asprintf(&joined, "%.*s/%s", (int)len, folder, path) < 0)
        abort();
    return joined;
}

static const char *home(void)
{
    const char *dir = getenv("HOME");
    const struct passwd *pw;

    if (dir && dir[0] == '/')
        return dir;
    pw = getpwuid(getuid());
    return pw && pw->pw_dir ? pw->pw_dir : "/";
}

static char *working_folder(void)
{
    char *cwd = getcwd(NULL, 0);

    if (!cwd)
        cwd = strdup("/"); /* the folder was deleted under us */
    if (!cwd)
        abort();
    return cwd;
}

static const char *skip_here(const char *path)
{
    while (path[0] == '.' && path[1] == '/')
        path += 1 + strspn(path + 1, "/");
    return path;
}

char *path_expand(const char *folder, const char *path, struct err *err)
{
    char *cwd, *result;

    if (path[0] == '~' && path[1] != '\0' && path[1] != '/') {
        err_set(err, CAUSE_INPUT,
                "`%.60s': only ~ and ~/ are understood, not another user's "
                "home",
                path);
        return NULL;
    }
    if (path[0] == '~') {
        path += 1 + strspn(path + 1, "/");
        return *path ? join(home(), path) : strdup(home());
    }
    if (path[0] == '/')
        return strdup(path);
    path = skip_here(path);
    if (folder)
        return join(folder, path);
    cwd = working_folder();
    result = join(cwd, path);
    free(cwd);
    return result;
}

char *path_folder(const char *path)
{
    char *cwd = working_folder();
    char *whole = path[0] == '/' ? strdup(path) : join(cwd, skip_here(path));
    char *slash = strrchr(whole, '/');

    slash[slash == whole ? 1 : 0] = '\0';
    free(cwd);
    return whole;
}
