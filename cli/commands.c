/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of commands.  Help, the manual page and the reader of the command
 * line are made from it.  In help texts a line that begins with a blank is
 * printed as it stands; all else is filled.
 */
#include "cli/command.h"

#include <string.h>

enum {
    ANY_WORDS = 1 << 20
};

/* clang-format off */
#define APPLY_OPTIONS                                                    \
    (OPT_BIT(OPT_YES) | OPT_BIT(OPT_ACCEPT) | OPT_BIT(OPT_UNTIL) |       \
     OPT_BIT(OPT_KEEP_GOING) | OPT_BIT(OPT_ON_FAILURE))

static const struct command inventory_subs[] = {
    {.name = "sample", .synopsis = "", .run = cmd_inventory_sample,
     .summary = "print a commented inventory",
     .examples =
        "certfleet inventory sample > certfleet.ini\n"
        "    a start: edit addresses, roles and secrets\n"},
    {.name = "check", .synopsis = "", .run = cmd_inventory_check,
     .summary = "say what is wrong with the inventory",
     .help =
        "Every fault at once, each with file and line.  Errors give exit "
        "code 2; warnings alone give 0.  Nothing is contacted and no secret "
        "is read.",
     .examples =
        "certfleet -i emea.ini inventory check\n"
        "    for an editor or a commit hook\n"},
    {.name = "list", .synopsis = "[TARGET...]", .max_words = ANY_WORDS,
     .run = cmd_inventory_list,
     .summary = "show what the inventory holds",
     .examples =
        "certfleet inventory list 'emea*' --json\n"
        "    one object a node, for other programs\n"},
    {.name = NULL},
};

static const struct command audit_subs[] = {
    {.name = "verify", .synopsis = "[NUMBER:HASH]", .max_words = 1,
     .run = cmd_audit_verify,
     .summary = "say whether the journal of all runs is what was written",
     .help =
        "Finds a record that was changed, put in, taken out or moved, also at "
        "the end, and a run whose row in `runs' is not what its records say. "
        "Names the first, its run, and how many.  Exit code 1 when something "
        "does not fit.  Changes nothing; a run may be at work.  Who may write "
        "to the state folder can make the whole journal anew: note the head "
        "that is printed where he cannot reach it, and give it here later.",
     .examples =
        "certfleet audit verify\n"
        "    prints how many records there are, and the head\n"
        "certfleet audit verify \"$(cat head.of.last.month)\"\n"
        "    is that record still there, with everything before it?\n"},
    {.name = NULL},
};

static const struct command store_subs[] = {
    {.name = "migrate", .synopsis = "URL|sqlite", .min_words = 1,
     .max_words = 1, .run = cmd_store_migrate,
     .summary = "move runs and journal to another database",
     .help =
        "From where the inventory has it to a PostgreSQL (its URL, as `store' "
        "takes it; the password is store_password's), or back to `sqlite' in "
        "state_dir.  The target must be empty, and no run at work.  All or "
        "nothing; what was there stays as it is.  The audit chain moves as it "
        "is: a head that was noted before is found afterwards.",
     .examples =
        "certfleet store migrate postgresql://certfleet@db1/certfleet\n"
        "    then write the same into the inventory: store = postgresql://...\n"
        "certfleet store migrate sqlite\n"
        "    and back\n"},
    {.name = NULL},
};

static const struct command pki_subs[] = {
    {.name = "inspect", .synopsis = "FILE...", .min_words = 1,
     .max_words = ANY_WORDS, .run = cmd_pki_inspect,
     .summary = "show what a key, certificate, request or bundle holds",
     .help =
        "PEM or DER, told apart by what the file holds, not by its name; each "
        "part of a bundle, in its order, with usage, purposes and "
        "constraints in OpenSSL's words.",
     .examples =
        "certfleet pki inspect dbserver.crt dbca.crt\n"
        "    names, issuer, validity and fingerprint of each\n"},
    {.name = "match", .synopsis = "KEY CERTIFICATE",
     .options = OPT_BIT(OPT_PASSPHRASE), .min_words = 2,
     .max_words = 2, .run = cmd_pki_match,
     .summary = "does the key belong to the certificate or request?",
     .examples =
        "certfleet pki match dbserver.key dbserver.crt\n"
        "    exit code 0: it does; 1: it does not; 2: not readable\n"},
    {.name = "verify", .synopsis = "CERTIFICATE BUNDLE [CA]",
     .options = OPT_BIT(OPT_PURPOSE) | OPT_BIT(OPT_PROFILE) |
        OPT_BIT(OPT_HOST),
     .min_words = 2, .max_words = 3, .run = cmd_pki_verify,
     .summary = "does the certificate chain up to a root of the bundle, now?",
     .help =
        "Only the files given count, never the system's roots.",
     .examples =
        "certfleet pki verify dbserver.crt dbca.crt --purpose server\n"
        "    as the database will ask for it\n"
        "certfleet pki verify full.crt roots.crt --profile public --host "
        "cms.example.com\n"
        "    every rule that browsers hold it to\n"},
    {.name = "csr", .synopsis = "BASENAME CN:VALUE [ATTRIBUTE:VALUE...]",
     .options = OPT_BIT(OPT_KEY) | OPT_BIT(OPT_PURPOSE), .min_words = 2,
     .max_words = ANY_WORDS, .run = cmd_pki_csr,
     .summary = "make BASENAME.key and BASENAME.csr",
     .help =
        "Attributes: CN OU O L ST C emailAddress subjectAltName, in any order. "
        "subjectAltName takes DNS names, IP and e-mail addresses with commas "
        "and no blanks; the CN is put in front of them.  Without "
        "subjectAltName the request holds no names besides the CN, as the "
        "MMP's.  A file that exists is never overwritten: on an MMP that "
        "breaks the service at once.",
     .examples =
        "certfleet pki csr dbserver CN:core1.example.com O:\"Example Inc.\" "
        "subjectAltName:core2.example.com,10.0.0.2\n"
        "    a request for another CA to sign\n"},
    {.name = "selfsigned", .synopsis = "BASENAME [CN:VALUE] "
        "[ATTRIBUTE:VALUE...]",
     .options = OPT_BIT(OPT_KEY) | OPT_BIT(OPT_DAYS), .min_words = 1,
     .max_words = ANY_WORDS, .run = cmd_pki_selfsigned,
     .summary = "make BASENAME.key and BASENAME.crt, a CA of its own",
     .help =
        "A root for one database cluster.  Give every new root a new CN: two "
        "roots of one name in one bundle are taken for each other.  Preset: "
        "CN is BASENAME, 3650 days.  Attributes as for `pki csr'.  In a test "
        "bed a service can show it, too.",
     .examples =
        "certfleet pki selfsigned dbca-2026 CN:\"Example database CA 2026\"\n"
        "    then name it as the issuer's ca_cert and ca_key\n"},
    {.name = "sign", .synopsis = "CSR-BASENAME CA-BASENAME",
     .options = OPT_BIT(OPT_DAYS) | OPT_BIT(OPT_PURPOSE) |
        OPT_BIT(OPT_PASSPHRASE), .min_words = 2,
     .max_words = 2, .run = cmd_pki_sign,
     .summary = "sign CSR-BASENAME.csr with CA-BASENAME.crt and .key",
     .help =
        "Makes CSR-BASENAME.crt, valid for 825 days or as --days says, never "
        "longer than its CA.  Preset purpose: server.  The request gives its "
        "key, subject and names; what it wishes besides is not listened to.  "
        "--passphrase is for the CA's key.",
     .examples =
        "certfleet pki sign dbclient dbca-2026 --purpose client\n"
        "    the database client's certificate\n"},
    {.name = "unlock", .synopsis = "KEY",
     .options = OPT_BIT(OPT_PASSPHRASE) | OPT_BIT(OPT_OUTPUT), .min_words = 1,
     .max_words = 1, .run = cmd_pki_unlock,
     .summary = "take the passphrase off a private key",
     .help =
        "Asks for the passphrase, or takes it from where --passphrase says, "
        "and replaces the file by the open key (PEM, mode 0600), as the MMP "
        "does; with -o the file stays and FILE is made.  A service of an MMP "
        "takes open keys only.",
     .examples =
        "certfleet pki unlock dbserver.key\n"
        "    asks on the terminal\n"
        "certfleet pki unlock dbserver.key --passphrase file:db.pass "
        "-o open.key\n"
        "    asks nobody, and leaves dbserver.key as it is\n"},
    {.name = "normalize", .synopsis = "FILE...",
     .options = OPT_BIT(OPT_OUTPUT) | OPT_BIT(OPT_ORDER), .min_words = 1,
     .max_words = ANY_WORDS, .run = cmd_pki_normalize,
     .summary = "print the files as one PEM that an MMP takes",
     .help =
        "Blocks adjacent, 64 columns, LF, one newline at the end, nothing "
        "else.  Several files become one bundle, in their order or, with "
        "--order, leaf first and root last.  A private key is written to a "
        "file only (-o), never to a terminal or with --json.",
     .examples =
        "certfleet pki normalize leaf.crt inter.crt root.crt --order "
        "-o fullchain.crt\n"
        "    a chain for Web Bridge 3\n"},
    {.name = "lint", .synopsis = "FILE...",
     .options = OPT_BIT(OPT_SERVICE) | OPT_BIT(OPT_HOST) |
        OPT_BIT(OPT_ACCEPT),
     .min_words = 1, .max_words = ANY_WORDS, .run = cmd_pki_lint,
     .summary = "find what an MMP would stumble over",
     .help =
        "Looks at the form of each file; with --service at all of them "
        "together, in the order of the service's `certs' command: KEY "
        "CERTIFICATE [BUNDLE], for the database SERVER-KEY SERVER-CERTIFICATE "
        "CLIENT-KEY CLIENT-CERTIFICATE BUNDLE, or the last three for a node "
        "that connects only.  With -i checks weigh as its [preflight] says.",
     .examples =
        "certfleet pki lint *.crt *.key\n"
        "    exit code 1 when a finding is an error, or blocks\n"
        "certfleet pki lint --service webbridge3 --host join.example.com "
        "wb3.key wb3-full.crt\n"
        "    key, chain, usage, names and dates\n"},
    {.name = "checks", .synopsis = "", .options = OPT_BIT(OPT_MARKDOWN),
     .run = cmd_pki_checks,
     .summary = "list the checks, and how much a breach weighs",
     .help =
        "`pki lint', `plan' and `apply' use this one table.  A section "
        "[preflight], or [preflight CLUSTER], of the inventory changes a "
        "weight: `B3 = off'; off, note, warning, block (until --accept) and "
        "error are possible.  Checks on which data depends keep theirs.",
     .examples =
        "certfleet pki checks --json\n"
        "    with the source of each rule and what to do\n"},
    {.name = NULL},
};

const struct command commands[] = {
    {.name = "inventory", .synopsis = "sample|check|list [TARGET...]",
     .summary = "a sample inventory; what is wrong with this one; what it "
        "holds",
     .subs = inventory_subs},
    {.name = "check", .synopsis = "[TARGET...]", .max_words = ANY_WORDS,
     .options = OPT_BIT(OPT_METRICS), .run = cmd_check,
     .summary = "read every node's health and every certificate's days left",
     .help =
        "Reads only.  Certificates are listed worst first.  Exit code 3 when "
        "one expires within warn_days, or a node is unhealthy or does not "
        "answer.  Without TARGET: everything in the inventory.",
     .examples =
        "certfleet check\n"
        "    all clusters\n"
        "certfleet check core1 --json\n"
        "    one node, one JSON object a certificate\n"
        "certfleet -q check --metrics /var/lib/prometheus/node-exporter/"
        "certfleet.prom\n"
        "    from a timer: node_exporter hands it to Prometheus\n"},
    {.name = "windows", .synopsis = "[TARGET...] [KEY=VALUE...]",
     .max_words = ANY_WORDS, .run = cmd_windows,
     .summary = "when clusters may be changed, and what `run' would begin then",
     .help =
        "The open window and the next three, from `window' and `no_window' of "
        "the inventory, by the clock of the "
        "first window's zone and in UTC.  Windows that touch are one.  A "
        "length is in hours and minutes, and is not what the clock tells in "
        "a night in which it is changed.  Then what `run' would begin in them, "
        "with these inputs of fleet/renew, as far as the last reading of the "
        "nodes and the runs before tell.  Contacts nothing: `check' reads the "
        "nodes anew.",
     .examples =
        "certfleet windows\n"
        "    all clusters\n"
        "certfleet windows due=10% canary=lab\n"
        "    what `run due=10% canary=lab' would begin, and when\n"
        "certfleet windows emea --json\n"
        "    one object a window, one for what begins\n"},
    {.name = "playbooks", .synopsis = "[NAME]", .options = OPT_BIT(OPT_DOT),
     .max_words = 1, .run = cmd_playbooks,
     .summary = "the playbooks; with NAME its inputs and steps",
     .examples =
        "certfleet playbooks cms/db-rotate\n"
        "    what it takes and does, step by step\n"
        "certfleet playbooks cms/db-rotate --dot | dot -Tsvg > table.svg\n"
        "    the same as a picture\n"},
    {.name = "plan", .synopsis = "PLAYBOOK TARGET... [KEY=VALUE...]",
     .options = OPT_BIT(OPT_OUTPUT) | OPT_BIT(OPT_ACCEPT) |
        OPT_BIT(OPT_KEEP_GOING),
     .min_words = 2, .max_words = ANY_WORDS, .run = cmd_plan,
     .summary = "what would be done, command by command; touches nothing",
     .help =
        "Reads the nodes and prints for each the exact commands in their "
        "order, where users notice and for how long about, until when there "
        "is a way back, and what drops whose calls.",
     .examples =
        "certfleet plan cms/db-rotate emea\n"
        "    read it before the night\n"
        "certfleet plan cms/db-rotate emea -o emea.plan\n"
        "    for `certfleet apply --plan emea.plan'\n"},
    {.name = "approve", .synopsis = "FILE",
     .options = OPT_BIT(OPT_YES) | OPT_BIT(OPT_KEY) | OPT_BIT(OPT_CERT) |
        OPT_BIT(OPT_PASSPHRASE),
     .min_words = 1, .max_words = 1, .run = cmd_approve,
     .summary = "sign a plan that `plan -o FILE' wrote",
     .help =
        "Where the inventory wants approvals a plan is applied only when so "
        "many people have signed it.  Shows the plan, and who has signed it "
        "already, asks, and adds a signature to FILE.sig: by ssh-keygen, with "
        "an agent, a FIDO key or a passphrase as it knows them, preset the "
        "inventory's identity; or with an X.509 certificate (--cert).  FILE "
        "stays as it is; the lines of several FILE.sig may be put together.  "
        "Nothing is sent to any node.",
     .examples =
        "certfleet approve emea.plan\n"
        "    shows it, asks, signs\n"
        "certfleet approve emea.plan --key ~/.ssh/id_ed25519_sk\n"
        "    with a key that is to be touched\n"
        "certfleet approve emea.plan --cert me.crt --key me.key "
        "--passphrase prompt\n"
        "    with a certificate of approver_ca\n"},
    {.name = "apply", .synopsis = "PLAYBOOK TARGET... [KEY=VALUE...]",
     .options = APPLY_OPTIONS | OPT_BIT(OPT_PLAN), .max_words = ANY_WORDS,
     .run = cmd_apply,
     .summary = "do it: shows the plan and asks, unless --yes",
     .help =
        "Several clusters are one run: all are staged first, and a refusal "
        "there stops the run before anything live is touched, unless "
        "--keep-going.  Without a terminal and without --yes it is refused "
        "(5).  Ctrl-C once stops where it is safe, twice at once; a closed "
        "terminal stops nothing (`certfleet show -f last').  A cluster that "
        "wants approvals takes nothing but a plan that has them (--plan).",
     .examples =
        "certfleet apply cms/db-rotate emea\n"
        "    shows the plan, asks, does it\n"
        "certfleet apply cms/db-rotate 'emea*' --until push --yes\n"
        "    by day: everything that changes nothing live\n"
        "certfleet apply fleet/renew '*' canary=lab batch=25% --yes\n"
        "    whatever is due in any cluster, canary first\n"
        "certfleet apply cms/db-rotate all-* if_days_left=30 --yes\n"
        "    from cron: only clusters that are due\n"
        "certfleet apply cms/db-add-node emea node=core4 role=database\n"
        "    a node more; the others are not touched\n"
        "certfleet apply --plan emea.plan --yes\n"
        "    exactly what was planned, or nothing\n"},
    {.name = "resume", .synopsis = "RUN [KEY=VALUE...]",
     .options = APPLY_OPTIONS, .min_words = 1,
     .max_words = ANY_WORDS, .run = cmd_resume,
     .summary = "go on where a run stopped",
     .help =
        "Every node is read first; what is already as wanted is not done "
        "again.  RUN is an id that `runs' prints, its beginning, or `last'.",
     .examples =
        "certfleet resume last\n"
        "    after an interruption, a crash, or --until\n"},
    {.name = "run", .synopsis = "[TARGET...] [KEY=VALUE...]",
     .options = OPT_BIT(OPT_DAEMON) | OPT_BIT(OPT_METRICS_LISTEN) |
        OPT_BIT(OPT_ACCEPT),
     .max_words = ANY_WORDS, .run = cmd_run,
     .summary = "unattended: resume what died, renew what is due, tell it",
     .help =
        "One pass, for a timer: runs whose process died are resumed, then "
        "`apply fleet/renew' with these inputs (`certfleet playbooks "
        "fleet/renew') on every cluster of the target, asked about nothing: "
        "what has no way back is left to a person, with an alarm.  "
        "Without TARGET: all.  With --daemon passes follow one another, each "
        "with the inventory as it then is.  The program that the inventory "
        "names as `notify' gets a line of JSON for each thing begun, done, "
        "rolled back or incomplete, and for each certificate with 28, 14, 7, 3 "
        "and 1 days left.",
     .examples =
        "certfleet run canary=lab batch=10%\n"
        "    from a systemd timer\n"
        "certfleet run --daemon due=30 canary=lab settle=2h max_failures=2\n"
        "    the same, as a service\n"},
    {.name = "issue", .synopsis = "RUN FILE...", .min_words = 2,
     .max_words = ANY_WORDS, .run = cmd_issue,
     .summary = "give a run the certificates that it waits for",
     .help =
        "Where the issuer's kind is csr a run makes its keys and requests, "
        "says where the requests lie, and stops before anything live is "
        "touched (exit code 4, the cluster is free).  Have them signed, with "
        "the names and the purpose that they ask for, and give the "
        "certificates here, each with what lies between it and the CA of "
        "ca_cert behind it, PEM or DER.  A file finds its request by the key.  "
        "All are checked before one is kept; nothing is sent to any node.  "
        "Where it is adcs, what its console exports may come here, too; "
        "`resume' asks the CA itself.",
     .examples =
        "certfleet issue last dbserver.pem dbclient.pem\n"
        "    then `certfleet resume last'\n"},
    {.name = "rollback", .synopsis = "RUN [KEY=VALUE...]",
     .options = OPT_BIT(OPT_YES) | OPT_BIT(OPT_ACCEPT) |
        OPT_BIT(OPT_KEEP_GOING),
     .min_words = 1, .max_words = ANY_WORDS, .run = cmd_rollback,
     .summary = "take a finished or stopped run back",
     .help =
        "The same steps, aimed at the old certificates.  Refused when a "
        "later run exists, members changed, an old file is missing or "
        "differs, or the way back has ended.",
     .examples =
        "certfleet rollback last\n"
        "    shows the plan and asks first\n"},
    {.name = "runs", .synopsis = "", .run = cmd_runs,
     .summary = "the history of runs, newest first",
     .examples =
        "certfleet runs --json | head -n 1\n"
        "    the newest\n"},
    {.name = "show", .synopsis = "RUN", .options = OPT_BIT(OPT_FOLLOW),
     .min_words = 1, .max_words = 1, .run = cmd_show,
     .summary = "one run, step by step, with times and outcome",
     .help =
        "Who did what, when, from where (SSH_CONNECTION), by which plan (its "
        "hash, as `plan --json' prints it), approved by whom, and the fingerprints of each "
        "node's certificates before and after.  With -v every record of its journal.  -f follows a running one, "
        "from any terminal, until it ends.",
     .examples =
        "certfleet show -f last\n"
        "    watch a run whose terminal was lost\n"},
    {.name = "report", .synopsis = "RUN | --fleet [TARGET...]",
     .options = OPT_BIT(OPT_FLEET) | OPT_BIT(OPT_OUTPUT),
     .max_words = ANY_WORDS, .run = cmd_report,
     .summary = "a run, or the fleet's certificates, as one HTML page",
     .help =
        "The page needs no network, no script and nothing beside it; it is "
        "read in a browser and prints well.  Of RUN it tells who did what, "
        "when, by which plan, a timeline of every node with outage, retries "
        "and the way back, the certificates before and after, and whether "
        "the journal is as it was written: the nodes are not asked.  With "
        "--fleet the nodes are read as `check' does, with its exit codes, "
        "and the page shows when which certificate ends.  Without -o it goes "
        "to standard output, unless that is a terminal.  What it tells "
        "`show --json' and `check --json' tell as JSON.",
     .examples =
        "certfleet report last -o night.html\n"
        "    for the change ticket\n"
        "certfleet report --fleet 'emea*' -o fleet.html\n"
        "    what ends when\n"},
    {.name = "audit", .synopsis = "verify [NUMBER:HASH]",
     .summary = "say whether another hand has changed the journal",
     .subs = audit_subs},
    {.name = "store", .synopsis = "migrate URL|sqlite",
     .summary = "where runs and their journal are kept",
     .subs = store_subs},
    {.name = "pki",
     .synopsis = "inspect|match|verify|csr|selfsigned|sign|unlock|normalize|"
        "lint FILE... | checks",
     .summary = "keys and certificates in local files, in the MMP's words",
     .subs = pki_subs},
    {.name = "prune", .synopsis = "TARGET...", .options = OPT_BIT(OPT_YES),
     .min_words = 1, .max_words = ANY_WORDS, .run = cmd_prune,
     .summary = "delete old sets and backups that are provably unused",
     .help =
        "Sets older than keep_days that no node was just read to use, and "
        "backups beyond keep_backups.  Shows the list and asks.  Nothing is "
        "deleted on a node whose status could not be read, nor in a cluster "
        "that an unfinished run holds.",
     .examples =
        "certfleet prune emea\n"
        "    shows what would go, and asks\n"},
    {.name = "unlock", .synopsis = "CLUSTER --run RUN",
     .options = OPT_BIT(OPT_RUN), .min_words = 1, .max_words = 1,
     .run = cmd_unlock,
     .summary = "abandon an unfinished run's hold on a cluster",
     .help =
        "For a run that nobody will resume or roll back; a living one is "
        "never abandoned.  The nodes stay as they are.",
     .examples =
        "certfleet unlock emea --run 20261121T031559Z-3f9a\n"
        "    the next `apply' reads the nodes anew\n"},
    {.name = "version", .synopsis = "", .run = cmd_version,
     .summary = "versions of certfleet and of what it stands on"},
    {.name = "help", .synopsis = "[COMMAND]", .options = OPT_BIT(OPT_MAN),
     .max_words = 2, .run = cmd_help,
     .summary = "help for a command, or this overview",
     .examples =
        "certfleet help pki csr\n"
        "    one command\n"
        "certfleet help --man > certfleet.1\n"
        "    the manual page\n"},
    {.name = NULL},
};
/* clang-format on */

const struct command *command_find(const struct command *table,
                                   const char *name)
{
    for (const struct command *c = table; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}
