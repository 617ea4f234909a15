/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/cvp/commands.h - the words of seed 003's commands, once: the rows
 * of the playbook, the table of reads and the table of what may go out are made
 * from them (facts/uc.md 5).
 *
 * No quotes: CVP's folder has none of the characters that would want them (a
 * gate sees to it), and neither has what is filled in.  The keystore's password
 * is asked for by each keytool, and typed at its prompt.  Messages are asked
 * for in English, whatever Windows speaks.
 */
#ifndef CERTFLEET_CVP_COMMANDS_H
#define CERTFLEET_CVP_COMMANDS_H

#define CVP_FOLDER "%CVP_HOME%\\conf\\security\\"
#define CVP_STORE CVP_FOLDER ".keystore"
#define KEYTOOL                                                                \
    "%CVP_HOME%\\jre\\bin\\keytool.exe -J-Duser.language=en -storetype JCEKS "

#define CVP_DIGEST "certutil -hashfile " CVP_STORE " SHA256"
#define CVP_WHERE "echo %CVP_HOME%"
#define CVP_CLOCK "wmic os get localdatetime"

#define CVP_COPY_ASIDE(copy) "copy /b /y " CVP_STORE " " copy
#define CVP_DELETE(alias, store)                                               \
    KEYTOOL "-delete -alias " alias " -keystore " store
#define CVP_GENERATE(alias, name, store)                                       \
    KEYTOOL "-genkeypair -v -alias " alias                                     \
            " -keyalg RSA -keysize 2048 -sigalg SHA256withRSA -validity 365"   \
            " -dname CN=" name " -keystore " store
/* SAN must stand here: a key pair's own does not reach the request. */
#define CVP_REQUEST(file, alias, names, store)                                 \
    KEYTOOL "-certreq -file " file " -alias " alias " -ext san=" names         \
            " -keystore " store
#define CVP_IMPORT(alias, file, store)                                         \
    KEYTOOL "-import -noprompt -trustcacerts -alias " alias " -file " file     \
            " -keystore " store
/* Into the same folder first: what then takes the keystore's place is whole. */
#define CVP_BRING(copy) "copy /b /y " copy " " CVP_FOLDER copy
#define CVP_REPLACE(copy) "move /y " CVP_FOLDER copy " " CVP_STORE

#endif
