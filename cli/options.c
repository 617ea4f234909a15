/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of options, and the small tables that help and the manual page
 * are made from besides: exit codes, environment, events.
 */
#include "cli/command.h"

/* clang-format off */
const struct option_row option_rows[OPT_COUNT] = {
    [OPT_INVENTORY] = {"inventory", 'i', "FILE",
        "the inventory; else $CERTFLEET_INVENTORY, ./certfleet.ini, "
        "/etc/certfleet/certfleet.ini"},
    [OPT_STATE_DIR] = {"state-dir", 0, "FOLDER",
        "where runs, keys and backups are kept; else the inventory's "
        "state_dir"},
    [OPT_JSON] = {"json", 0, NULL,
        "JSON lines on standard output, text on standard error; the last "
        "line is the `result' event"},
    [OPT_COLOR] = {"color", 0, "auto|always|never",
        "colors; auto: on a terminal, unless NO_COLOR is set"},
    [OPT_VERBOSE] = {"verbose", 'v', NULL,
        "say more; twice: every change of state"},
    [OPT_QUIET] = {"quiet", 'q', NULL,
        "only results, warnings and errors"},
    [OPT_HELP] = {"help", 'h', NULL, "help for the command"},
    [OPT_VERSION] = {"version", 0, NULL, "versions, as `certfleet version'"},
    [OPT_YES] = {"yes", 'y', NULL,
        "do not ask whether to go on, ONE_WAY steps and NO WAY BACK "
        "included"},
    [OPT_ACCEPT] = {"accept", 0, "ID",
        "answer one warning that blocks, by the id that it was shown with; "
        "may be repeated"},
    [OPT_UNTIL] = {"until", 0, "STEP",
        "end after this step with exit code 0 and the clusters unlocked; "
        "`resume' goes on"},
    [OPT_KEEP_GOING] = {"keep-going", 0, NULL,
        "a cluster that a gate refuses does not stop the others"},
    [OPT_ON_FAILURE] = {"on-failure", 0, "rollback|hold",
        "what to do when a step fails for good; else the inventory's "
        "on_failure"},
    [OPT_PLAN] = {"plan", 0, "FILE",
        "apply what `plan -o FILE' wrote, and refuse when anything moved "
        "since"},
    [OPT_OUTPUT] = {"output", 'o', "FILE",
        "write to FILE; plan: a plan for `apply --plan', an older one is "
        "replaced, as with report; pki: the file must not exist"},
    [OPT_FOLLOW] = {"follow", 'f', NULL,
        "go on until the run ends; the exit code is the run's"},
    [OPT_RUN] = {"run", 0, "RUN", "the run that holds the cluster"},
    [OPT_KEY] = {"key", 0, "KEY",
        "pki: kind of the new key, rsa:2048 (preset), rsa:3072, rsa:4096, "
        "ec:P-256, ec:P-384; approve: a file, the private key that signs, or "
        "the public one of an SSH key that the agent has"},
    [OPT_DAYS] = {"days", 0, "DAYS", "how long the certificate is valid"},
    [OPT_PURPOSE] = {"purpose", 0, "any|server|client",
        "what the certificate is for: its extended key usage"},
    [OPT_PROFILE] = {"profile", 0, "database|private|public",
        "judge the whole chain, each breach a line: as a database set, by "
        "RFC 5280, or as public CAs are judged"},
    [OPT_HOST] = {"host", 0, "NAME",
        "the name or address that the certificate must carry"},
    [OPT_SERVICE] = {"service", 0,
        "database|callbridge|webadmin|webbridge3|c2w|turn|recorder|streamer|"
        "meetingapps",
        "look at the files together, as this service's `certs' command takes "
        "them"},
    [OPT_MARKDOWN] = {"markdown", 0, NULL,
        "the whole table, as docs/preflight.md has it"},
    [OPT_ORDER] = {"order", 0, NULL,
        "put the chain in order, too: leaf, intermediates, root"},
    [OPT_PASSPHRASE] = {"passphrase", 0, "REF",
        "where the locked key's passphrase is: env:NAME, file:PATH, "
        "command:LINE or prompt; never the passphrase itself"},
    [OPT_MAN] = {"man", 0, NULL, "print the manual page, as man(7) source"},
    [OPT_METRICS_LISTEN] = {"metrics-listen", 0, "[ADDRESS:]PORT",
     "with --daemon: answer GET /metrics there, of the last reading and of the "
     "daemon; without ADDRESS on this machine alone"},
    [OPT_DAEMON] = {"daemon", 0, NULL,
     "stay, and begin a pass when a window opens, at least once an hour, and on "
     "SIGHUP; end safely on SIGTERM"},
    [OPT_DOT] = {"dot", 0, NULL,
        "draw the playbook's table for dot(1) of Graphviz: rows in blocks, "
        "what follows what, and where a failure leads"},
    [OPT_METRICS] = {"metrics", 0, "FILE",
        "write what was found for node_exporter's textfile collector, too; "
        "also when nodes do not answer"},
    [OPT_FLEET] = {"fleet", 0, NULL,
        "report on certificates that are in use, not on a run"},
    [OPT_CERT] = {"cert", 0, "CERT",
        "approve with this X.509 certificate, and what it needs to lead to "
        "approver_ca behind it; its key is in it, or --key"},
};

const struct exit_row exit_rows[] = {
    {EXIT_DONE, "ok",
     "done, or all well; rollback: the old state is proven; resume of a done "
     "run: nothing to do"},
    {EXIT_TAKEN_BACK, "error",
     "the change failed and the old state is proven: never left, or taken "
     "back; pki, audit: the answer is no"},
    {EXIT_INPUT, "error",
     "known before the first packet: wrong use, faulty inventory, missing or "
     "bad local file, CA that is no CA or has expired, unset secret, no such "
     "run"},
    {EXIT_DUE, "due",
     "check, report --fleet: something expires within the warning time, or is "
     "unhealthy"},
    {EXIT_INCOMPLETE, "incomplete",
     "incomplete: a person is needed; the last line says what to run"},
    {EXIT_REFUSED, "refused",
     "refused by a gate (wrong password, host key, unreachable, status, "
     "membership, ...); nothing was changed"},
    {EXIT_LOCKED, "locked",
     "another run holds the cluster; its owner is shown"},
    {EXIT_INTERRUPTED, "interrupted",
     "interrupted; the state is safe; the last line says what to run"},
    {0, NULL, NULL},
};

const struct word_row environment_rows[] = {
    {"CERTFLEET_INVENTORY", "the inventory when -i is not given"},
    {"XDG_STATE_HOME", "runs are kept below it when neither --state-dir nor "
     "state_dir says where"},
    {"NO_COLOR", "no colors, unless --color always"},
    {"SSH_AUTH_SOCK", "the agent that is asked when the identity is refused"},
    {"UV_THREADPOOL_SIZE", "threads for keys, files and name look-ups; "
     "preset: two for each processor, 8 to 64"},
    {NULL, NULL},
};

const struct word_row event_rows[] = {
    {"run-started", "a run begins; from here on it has an id"},
    {"step-started", "a step begins on a node, or here"},
    {"step-skipped", "nothing to do: it is as the step wants it already"},
    {"step-done", "the step's goal is met; took_ms"},
    {"step-failed", "the step failed for good on this node; detail says why"},
    {"step-waiting", "a person must bring something, or calls are to end: detail says what"},
    {"command", "a command, or a file, is on its way to a node"},
    {"retry", "a try failed and another will be made"},
    {"outage-started", "the cluster's database stops serving"},
    {"outage-ended", "it serves again; took_ms"},
    {"rollback-started", "the old certificates are being put back"},
    {"warning", "something a person should know; state: its id, check: the "
     "check's id (`certfleet pki checks')"},
    {"plan", "plan: what would be done; fleet/renew: which clusters, and when"},
    {"keys", "the step issue took keys that were made ahead; detail: how many"},
    {"keys-ahead", "run: keys were made for a window to come; kind, keys"},
    {"settling", "fleet/renew: the canaries are done, and are read again in "
     "seconds"},
    {"alarm", "fleet/renew: due before its next window, or nobody knows; "
     "cluster, due, detail"},
    {"issued", "issue: a certificate was taken; slot, file"},
    {"finding", "pki lint, pki verify: a breach; finding: the check's id, "
     "state: how much it weighs"},
    {"check", "pki checks: one check"},
    {"window", "windows: one of them; state: open, next, none (within a year) or any "
     "time"},
    {"window-run", "windows: what would begin, or why not; state: begins, too short, "
     "not begun, unreachable, held, to approve, not due, not known"},
    {"certificate", "check, pki inspect: one certificate"},
    {"approval", "approve, apply: one signature of a plan file: principal, "
     "key, approved (when), counts; detail: why it does not count"},
    {"deed", "show: who did what to the run, when, from where, by which plan, approved by whom"},
    {"fingerprints", "show: a certificate of a node, old and new, by SHA-256"},
    {"audit", "audit verify: records, runs, misfits, head, and the first that "
     "does not fit"},
    {"result", "always the last: outcome, exit, run, next, way_back_until, "
     "clusters"},
    {NULL, NULL},
};
/* clang-format on */
