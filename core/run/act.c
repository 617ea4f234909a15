/* SPDX-License-Identifier: Apache-2.0
 *
 * Templates: expanding them for a node, and checking a finished command
 * against the table of what may go out at all.
 */
#include "core/run/act.h"

#include <string.h>

/* A file that goes by its name alone. */
static bool is_by_slot(const struct act *act)
{
    return act->kind == ACT_PUT || act->kind == ACT_TAKE;
}

static const char *slot_of(const struct act *act)
{
    return is_by_slot(act) ? act->text : act->slot;
}

bool act_is_text(const struct act *act)
{
    switch (act->kind) {
    case ACT_COMMAND:
    case ACT_CONFIRM:
    case ACT_ASKED:
    case ACT_PASTE:
    case ACT_KEEP:
    case ACT_POST:
        return true;
    default:
        return false;
    }
}

const struct act *act_at(const struct view *view, const struct step *step,
                         size_t n)
{
    const struct plan_node *pn =
        view->node == SIZE_MAX ? NULL : &view->plan->nodes[view->node];

    for (const struct act *a = step->acts; a && a->kind != ACT_END; a++) {
        const struct set_file *file = NULL;

        if (pn && a->roles && !(a->roles & pn->roles))
            continue;
        if (a->when && !a->when(view))
            continue;
        if (slot_of(a))
            file = set_slot(plan_target(view->plan, view->node, view->back),
                            slot_of(a));
        if (slot_of(a) && (!file || !plan_node_gets(pn, file)))
            continue;
        if (n-- == 0)
            return a;
    }
    return NULL;
}

static int add_variable(const struct view *view, const char *name, size_t len,
                        struct str *out, struct err *err)
{
    const struct product *product = view->plan->plan->playbook->product;
    char word[64];

    if (len >= sizeof(word))
        return err_set(err, CAUSE_SYSTEM, "variable name too long");
    memcpy(word, name, len);
    word[len] = '\0';
    if (!product->variable(view, word, out))
        return err_set(err, CAUSE_SYSTEM, "{%s} is not known", word);
    return 0;
}

static int expand(const struct view *view, const char *template,
                  struct str *out, struct err *err)
{
    const char *p = template;

    while (*p) {
        const char *open = strchr(p, '{');
        const char *close = open ? strchr(open, '}') : NULL;

        if (!close)
            return str_add(out, p);
        str_addn(out, p, (size_t)(open - p));
        if (add_variable(view, open + 1, (size_t)(close - open - 1), out, err) <
            0)
            return -1;
        p = close + 1;
    }
    return 0;
}

int act_text(const struct view *view, const struct act *act, struct str *out,
             struct err *err)
{
    if (is_by_slot(act)) {
        const struct set_file *file = set_slot(
            plan_target(view->plan, view->node, view->back), act->text);
        if (!file || !file->name)
            return err_set(err, CAUSE_SYSTEM, "no file for %s", act->text);
        return str_add(out, file->name);
    }
    return expand(view, act->text, out, err);
}

int act_describe(const struct view *view, const struct act *act,
                 struct str *out, struct err *err)
{
    if (act->kind == ACT_PUT)
        str_add(out, "put ");
    else if (act->kind == ACT_FETCH || act->kind == ACT_TAKE)
        str_add(out, "get ");
    else if (act->kind == ACT_REMOVE)
        str_add(out, "remove ");
    if (act_text(view, act, out, err) < 0)
        return -1;
    if (act->slot)
        str_addf(
            out, " %c %s", act->kind == ACT_PASTE ? '<' : '>',
            set_slot(plan_target(view->plan, view->node, view->back), act->slot)
                ->name);
    return 0;
}

static bool is_argument_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z') || c == '.' || c == ':' || c == '_' ||
           c == '-';
}

/* Behind it, or NULL.  An argument never begins with "-": no device would take
 * it for an option, but a reader of the log would. */
static const char *skip_argument(const char *text)
{
    if (!is_argument_char(*text) || *text == '-')
        return NULL;
    while (is_argument_char(*text))
        text++;
    return text;
}

static const char *skip_list(const char *text)
{
    text = skip_argument(text);
    while (text && *text == ',')
        text = skip_argument(text + 1);
    return text;
}

static bool matches(const char *template, const char *text)
{
    while (*template) {
        if (strncmp(template, "{}", 2) == 0) {
            text = skip_argument(text);
            template += 2;
            if (!text)
                return false;
        } else if (strncmp(template, "{,}", 3) == 0) {
            text = skip_list(text);
            template += 3;
            if (!text)
                return false;
        } else if (*template ++ != *text++) {
            return false;
        }
    }
    return *text == '\0';
}

const struct command_row *command_match(const struct product *product,
                                        const char *text, struct err *err)
{
    for (const struct command_row *row = product->commands; row->template;
         row++)
        if (matches(row->template, text))
            return row;
    err_set(err, CAUSE_REFUSED,
            "I6: `%s' is not a command that may be sent to a %s node", text,
            product->name);
    return NULL;
}
