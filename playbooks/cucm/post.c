/* SPDX-License-Identifier: Apache-2.0
 *
 * Orders to certmgr: their bodies, and what it says (facts/uc.md 1.5).
 */
#include <stdlib.h>
#include <string.h>

#include "playbooks/cucm/cucm.h"
#include "playbooks/vos/answer.h"

enum {
    KEY_BITS = 2048 /* what the platform's own form has: seed 004 step 1 */
};

static bool is_for(const char *text, const char *what)
{
    const char *path = strchr(text, '/');
    size_t len = strlen(CUCM_REST);

    return path && strncmp(path, CUCM_REST, len) == 0 &&
           strncmp(path + len, what, strlen(what)) == 0 &&
           path[len + strlen(what)] == ' ';
}

static unsigned key_bits(const struct plan_cluster *pc)
{
    const char *kind = vos_issuer(pc)->key;

    return strncmp(kind, "rsa:", 4) == 0 ? (unsigned)strtoul(kind + 4, NULL, 10)
                                         : KEY_BITS;
}

static void csr_body(const struct plan_cluster *pc, struct str *body)
{
    const char *distribution = plan_input(pc->plan, "distribution");
    struct cucm_csr_wish wish = {
        .service = cucm_type_of(pc->plan)->name,
        .distribution = distribution ? distribution : "multi-server",
        .key_bits = key_bits(pc),
    };
    struct str cn;

    str_init(&cn, 256);
    cucm_common_name(pc, &cn);
    wish.common_name = str_text(&cn);
    cucm_csr_body(&wish, body);
    str_release(&cn);
}

static void trust_body(const struct plan_cluster *pc, struct str *body)
{
    size_t n;
    char **list = cucm_missing_trust(pc, &n);

    cucm_trust_body(cucm_type_of(pc->plan)->name, (const char *const *)list, n,
                    body);
    for (size_t i = 0; i < n; i++)
        free(list[i]);
    free(list);
}

static void identity_body(const struct plan_cluster *pc, struct str *body)
{
    const struct secret *crt = set_slot(&pc->set, "crt")->content;

    cucm_identity_body(cucm_type_of(pc->plan)->name, secret_text(crt), body);
}

int cucm_post(const struct view *view, const char *text, struct post *post,
              struct err *err)
{
    if (!cucm_api(view->plan, view->node, &post->peer))
        return err_set(err, CAUSE_INPUT,
                       "the inventory gives no access to its API (api_user)");
    if (is_for(text, "/csr"))
        csr_body(view->plan, &post->body);
    else if (is_for(text, "/trust/certificates"))
        trust_body(view->plan, &post->body);
    else if (is_for(text, "/identity/certificates"))
        identity_body(view->plan, &post->body);
    else
        return err_set(err, CAUSE_SYSTEM, "`%s' has no body", text);
    return post->body.cut ? err_set(err, CAUSE_SYSTEM, "its body is too long")
                          : 0;
}

static enum reply say_no(const struct link_result *result, struct err *err)
{
    struct str message;

    str_init(&message, 600);
    cucm_rest_message(result->data, result->len, &message);
    err_set(err, CAUSE_REMOTE, "its API says no (status %u)%s%s",
            result->status, message.len ? ": " : "", str_text(&message));
    str_release(&message);
    return REPLY_FAILED;
}

enum reply cucm_posted(const struct view *view, const char *text,
                       const struct link_result *result, struct posted *posted,
                       struct err *err)
{
    (void)view;
    if (result->end != LINK_OK)
        return say_no(result, err);
    if (!is_for(text, "/csr"))
        return REPLY_OK;
    if (cucm_csr_answer(result->data, result->len, &posted->content, err) < 0)
        return REPLY_FAILED;
    posted->slot = "csr";
    return REPLY_OK;
}
