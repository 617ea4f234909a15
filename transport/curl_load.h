/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/curl_load.h - libcurl, loaded when a REST interface is asked
 * (core/base/library.h).  Only https.c and its test know libcurl.
 */
#ifndef CERTFLEET_TRANSPORT_CURL_LOAD_H
#define CERTFLEET_TRANSPORT_CURL_LOAD_H

#include <curl/curl.h>

#include "core/base/err.h"

/* What we call of it: curl_easy_init is curl->easy_init ... */
/* clang-format off */
#define CURL_CALLS(call) \
    call(global_init_mem) call(easy_init) call(easy_setopt) \
    call(easy_getinfo) call(easy_strerror) call(easy_cleanup) \
    call(multi_init) call(multi_setopt) call(multi_add_handle) \
    call(multi_remove_handle) call(multi_assign) call(multi_socket_action) \
    call(multi_info_read) call(multi_cleanup) call(slist_append) \
    call(slist_free_all)
/* clang-format on */

#define CURL_MEMBER(name) __typeof__(curl_##name) *(name);
struct curl_calls {
    CURL_CALLS(CURL_MEMBER)
};
#undef CURL_MEMBER

/* Set up, with an allocator that wipes what is freed; for the life of the
 * process.  NULL: it is not there, or lacks a call.  For one thread. */
const struct curl_calls *curl_load(struct err *err);

#endif
