/**
 * Thunderbird, driven from inside its network: sets itself up in its account hub, where only a name, an address and a password
 * are typed in, sends a letter, and fetches what has come. Tells what it did in a line of JSON.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Marionette } from './marionette.ts';

export interface ThunderbirdTask {
  /** For its profile and its log. */
  directory: string;
  /** PEM. */
  authority: string;
  address: string;
  password: string;
  letter: { to: string; subject: string; body: string };
  /** Subject of what is to be fetched. */
  awaited: string;
}

/** What it found out, and what it did. */
export interface ThunderbirdStory {
  version: string;
  /** The pages of the hub that it went through, and what it made of them: type, host, port, encryption, user. */
  account: { pages: string[]; incoming: string; outgoing: string };
  /** Subjects in its inbox, after it has fetched. */
  fetched: string[];
}

/** Inside a network of its own. */
const port = 2828;

const trustAuthority = `
  const database = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB);
  database.addCertFromBase64(args[0].replace(/-----[^-]+-----|\\s/g, ""), "CT,,");
  return Services.appinfo.version;`;

/**
 * As a person does: opens the account hub, fills in what it asks for, and goes on until there is an account. What it has found
 * it shows on the way, and it goes on only when it could log in.
 */
const setUp = `
  const [address, password] = args;
  const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
  const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
  const window = Services.wm.getMostRecentWindow("mail:3pane");
  void window.openAccountHub();
  const every = (root) => [...root.querySelectorAll("*")].flatMap((each) => [
    each, ...(each.shadowRoot ? every(each.shadowRoot) : []),
  ]);
  const visible = () => every(window.document).filter((each) => each.checkVisibility?.());
  const answers = { realName: "Ann Example", email: address, password };
  const pages = [];
  const fill = (input) => {
    if (input.value === answers[input.id]) return false;
    input.focus();
    input.value = answers[input.id];
    for (const type of ["input", "change"]) input.dispatchEvent(new window.Event(type, { bubbles: true, composed: true }));
    return true;
  };
  const account = () => MailServices.accounts.accounts.find(
    ({ defaultIdentity }) => defaultIdentity?.email === address,
  );
  for (let tries = 0; !account(); tries += 1) {
    if (tries > 150) throw new Error("no account; it was at: " + pages.join(", "));
    const shown = visible();
    const filled = shown.filter(({ id }) => Object.hasOwn(answers, id)).map(fill).some(Boolean);
    const forward = shown.find(({ id, disabled }) => id === "forward" && !disabled);
    const place = shown.filter(({ id }) => /Subview$/.test(id)).map(({ id }) => id).join("+");
    if (place !== "" && place !== pages.at(-1)) pages.push(place);
    if (!filled) forward?.click();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const { incomingServer: server } = account();
  const outgoing = MailServices.outgoingServer.defaultServer;
  return {
    pages,
    incoming: [server.type, server.hostname, server.port, server.socketType, server.username].join(" "),
    outgoing: [outgoing.type, outgoing.serverURI.host, outgoing.serverURI.port, outgoing.socketType, outgoing.username].join(" "),
  };`;

const send = `
  const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
  const [{ to, subject, body }] = args;
  const account = MailServices.accounts.defaultAccount;
  const identity = account.defaultIdentity;
  const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields);
  fields.from = identity.email;
  fields.to = to;
  fields.subject = subject;
  fields.body = body;
  const message = Cc["@mozilla.org/messengercompose/send;1"].createInstance(Ci.nsIMsgSend);
  await new Promise((resolve, reject) => {
    const listener = {
      QueryInterface: ChromeUtils.generateQI(["nsIMsgSendListener"]),
      onStartSending() {},
      onProgress() {},
      onSendProgress() {},
      onStatus() {},
      onStopSending(id, status) {
        if (Components.isSuccessCode(status)) resolve();
        else reject(new Error("not sent: 0x" + status.toString(16)));
      },
      onGetDraftFolderURI() {},
      onSendNotPerformed() { reject(new Error("not sent")); },
      onTransportSecurityError(id, status) { reject(new Error("not sent: 0x" + status.toString(16))); },
    };
    message.createAndSendMessage(
      null, identity, account.key, fields, false, false, Ci.nsIMsgCompDeliverMode.Now, null,
      "text/plain", body, null, null, listener, null, "", Ci.nsIMsgCompType.New,
    ).catch?.(reject);
  });`;

/** "Get messages", and what is in the inbox then. */
const fetchMail = `
  const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
  const server = MailServices.accounts.defaultAccount.incomingServer;
  const inbox = server.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox);
  await new Promise((resolve, reject) => {
    const listener = {
      QueryInterface: ChromeUtils.generateQI(["nsIUrlListener"]),
      OnStartRunningUrl() {},
      OnStopRunningUrl(url, status) {
        if (Components.isSuccessCode(status)) resolve();
        else reject(new Error("not fetched: 0x" + status.toString(16)));
      },
    };
    MailServices.pop3.GetNewMail(null, listener, inbox, server);
  });
  return [...inbox.messages].map((header) => header.mime2DecodedSubject);`;

const preferences = {
  'marionette.port': port,
  'app.update.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'mailnews.start_page.enabled': false,
  'mail.provider.enabled': false,
};

async function play(task: ThunderbirdTask): Promise<ThunderbirdStory> {
  const program = await launch(task.directory);
  const marionette = await connected(program);
  try {
    const version = await marionette.run(trustAuthority, task.authority);
    const account = await marionette.run(setUp, task.address, task.password);
    await marionette.run(send, task.letter);
    let fetched: unknown = [];
    for (let tries = 0; tries < 20 && !includes(fetched, task.awaited); tries += 1) {
      await pause(tries === 0 ? 0 : 250);
      fetched = await marionette.run(fetchMail);
    }
    return { version, account, fetched } as ThunderbirdStory; // as the scripts return it
  } finally {
    marionette.close();
    program.kill('SIGKILL');
  }
}

const includes = (list: unknown, wanted: string): boolean => Array.isArray(list) && list.includes(wanted);

async function launch(directory: string): Promise<ChildProcess> {
  const profile = join(directory, 'profile');
  await mkdir(profile, { recursive: true });
  const lines = Object.entries(preferences).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
  );
  await writeFile(join(profile, 'user.js'), lines.join(''));
  const log = openSync(join(directory, 'log'), 'a');
  const args = [
    '--headless',
    '--marionette',
    '-remote-allow-system-access',
    '--no-remote',
    '--profile',
    profile,
  ];
  return spawn('thunderbird', args, {
    stdio: ['ignore', log, log],
    env: { ...process.env, HOME: directory, MOZ_HEADLESS: '1' },
  });
}

const startLimitMs = 40_000;

async function connected(program: ChildProcess): Promise<Marionette> {
  const ended = once(program, 'exit').then(([code]) => {
    throw new Error(`Thunderbird ended with ${code}`);
  });
  ended.catch(() => undefined); // told below, or it was we who ended it
  const giveUpAt = performance.now() + startLimitMs;
  for (;;) {
    const opened = await Promise.race([Marionette.open(port).catch((error: Error) => error), ended]);
    if (opened instanceof Marionette) return opened;
    if (performance.now() > giveUpAt) throw opened;
    await pause(200);
  }
}

if (import.meta.main) {
  const [task = ''] = process.argv.slice(2);
  try {
    console.log(JSON.stringify(await play(JSON.parse(task))));
  } catch (error) {
    console.error(error instanceof Error ? error.stack : error);
    process.exitCode = 1;
  }
}
