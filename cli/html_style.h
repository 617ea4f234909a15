/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/html_style.h - how our pages look: the style sheet, and the patterns
 * that SVG fills with.  Everything is in the page itself.
 */
#ifndef CERTFLEET_CLI_HTML_STYLE_H
#define CERTFLEET_CLI_HTML_STYLE_H

enum {
    HTML_COLORS = 12 /* classes c0 to c11: one a step */
};
extern const char html_style[];
/* Before the first figure: SVG's ids hold for the whole page. */
extern const char html_patterns[];

#endif
