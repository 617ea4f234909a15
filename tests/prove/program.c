/* SPDX-License-Identifier: Apache-2.0
 *
 * The program as it is (cli/main.c), but that it may die at a point.  The
 * points are in program_points.c, the disk that forgets in powercut.h.
 */
#include "cli/app.h"
#include "cli/process.h"
#include "tests/prove/point.h"
#include "tests/prove/powercut.h"

int main(int argc, char **argv)
{
    int code;

    point_set_up();
    process_harden();
    code = app_main(argc, argv);
    powercut_flush();
    return code;
}
