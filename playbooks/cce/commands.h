/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/cce/commands.h - the commands behind the clicks of seed 003's
 * Windows part (facts/uc.md 4), once: rows, reads and the table of what may go
 * out are made of them.
 *
 * Quotes stand around paths below %CCE_JAVA_HOME% alone, which has blanks; how
 * a login's shell wants them is the dialect's (win_shells).  Passwords are
 * typed at keytool's prompt.
 */
#ifndef CERTFLEET_CCE_COMMANDS_H
#define CERTFLEET_CCE_COMMANDS_H

#define CCE_CLOCK "wmic os get localdatetime"
#define CCE_JAVA_HOME "echo %CCE_JAVA_HOME%"

/* `drive`: "C:", as the inventory has it. */
#define CCE_ICM(drive) drive "\\icm\\ssl\\"
#define CCE_JAVA "%CCE_JAVA_HOME%\\lib\\security\\"
#define CCE_ICM_STORE(drive) CCE_ICM(drive) "cacerts"
#define CCE_JAVA_STORE "\"" CCE_JAVA "cacerts\""
#define CCE_DIGEST(path) "certutil -hashfile " path " SHA256"

#define CCE_KEYTOOL                                                            \
    "\"%CCE_JAVA_HOME%\\bin\\keytool.exe\" -J-Duser.language=en "
#define CCE_LIST(store) CCE_KEYTOOL "-list -rfc -keystore " store
#define CCE_IMPORT(alias, file, store)                                         \
    CCE_KEYTOOL "-import -noprompt -trustcacerts -alias " alias " -file " file \
                " -keystore " store

/* Into the same folder first: what then takes the store's place is whole. */
#define CCE_COPY(from, to) "copy /b /y " from " " to
#define CCE_BRING_ICM(drive, copy) "copy /b /y " copy " " CCE_ICM(drive) copy
#define CCE_BRING_JAVA(copy) "copy /b /y " copy " \"" CCE_JAVA copy "\""
#define CCE_REPLACE_ICM(drive, copy)                                           \
    "move /y " CCE_ICM(drive) copy " " CCE_ICM_STORE(drive)
#define CCE_REPLACE_JAVA(copy) "move /y \"" CCE_JAVA copy "\" " CCE_JAVA_STORE

#define CCE_REQUEST(inf, csr) "certreq -new -machine -q -f " inf " " csr
#define CCE_ACCEPT(file) "certreq -accept -machine -q " file
#define CCE_TRUST(store, file) "certutil -addstore -f " store " " file
#define CCE_FIND(store, thumb) "certutil -store " store " " thumb

#define CCE_IIS "ipport=0.0.0.0:443"
#define CCE_PORTICO "ipport=0.0.0.0:7890"
#define CCE_BOUND(port) "netsh http show sslcert " port
#define CCE_BIND_IIS(thumb, application)                                       \
    "netsh http update sslcert " CCE_IIS " certhash=" thumb                    \
    " appid=" application " certstorename=MY"

#define CCE_DIAGFW(drive)                                                      \
    drive "\\icm\\serviceability\\diagnostics\\bin\\DiagFwCertMgr "
#define CCE_UNBIND(drive) CCE_DIAGFW(drive) "/task:UnbindCert"
#define CCE_BIND(drive, thumb)                                                 \
    CCE_DIAGFW(drive) "/task:BindCertFromStore /certhash:" thumb
#define CCE_VALIDATE(drive) CCE_DIAGFW(drive) "/task:ValidateCertBinding"

#endif
