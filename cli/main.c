/* SPDX-License-Identifier: Apache-2.0
 *
 * The program: everything else is in the library, so that tests can call it.
 */
#include "cli/app.h"
#include "cli/process.h"

int main(int argc, char **argv)
{
    process_harden();
    return app_main(argc, argv);
}
