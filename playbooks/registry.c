/* SPDX-License-Identifier: Apache-2.0
 *
 * The products and playbooks that there are: one line each.
 */
#include "playbooks/registry.h"

#include <string.h>

#include "playbooks/adcs/adcs.h"
#include "playbooks/cms/cms.h"
#include "playbooks/cucm/cucm.h"
#include "playbooks/cvp/cvp.h"
#include "playbooks/vos/vos.h"

static const struct product *const products[] = {
    &cms_product, &cucm_product, &cvp_product, &adcs_product, &vos_product,
};

static const struct playbook *const playbooks[] = {
    &cms_db_rotate,      &cms_db_add_node,
    &cms_db_remove_node, &cms_service_rotate,
    &cucm_rotate,        &cvp_keystore_rotate,
    &vos_rotate,         NULL,
};

enum {
    N_PRODUCTS = sizeof(products) / sizeof(products[0])
};

const struct playbook *const *registry_playbooks(void)
{
    return playbooks;
}

const struct playbook *registry_playbook(const char *id)
{
    for (const struct playbook *const *p = playbooks; *p; p++)
        if (strcmp((*p)->id, id) == 0)
            return *p;
    return NULL;
}

const struct product *registry_product(const char *name)
{
    for (size_t i = 0; i < N_PRODUCTS; i++)
        if (strcmp(products[i]->name, name) == 0)
            return products[i];
    return NULL;
}

const struct product_words *registry_words(void)
{
    static struct product_words words[N_PRODUCTS + 1];

    for (size_t i = 0; i < N_PRODUCTS; i++)
        words[i] = *products[i]->words;
    return words;
}
