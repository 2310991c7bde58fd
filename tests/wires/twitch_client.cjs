// tmi.js, unmodified, as a reader of a Twitch-like server: prints each event as a line of JSON, until "bye".
const tmi = require("tmi.js");

const port = Number(process.argv[2]);
const client = new tmi.Client({
  options: { skipUpdatingEmotesets: true, skipMembership: true },
  connection: { server: "127.0.0.1", port, secure: false, reconnect: true, reconnectInterval: 1000 },
  logger: { info() {}, warn() {}, error() {} },
  channels: ["spark"],
});

const tell = (...what) => process.stdout.write(`${JSON.stringify(what)}\n`);

client.on("join", (channel, name, self) => self && tell("join", channel));
client.on("message", (channel, tags, text) => {
  tell("message", tags["display-name"], tags.id, text);
  if (text === "bye") client.disconnect().then(() => process.exit(0), () => process.exit(0));
});
client.on("cheer", (channel, tags, text) => tell("cheer", tags["display-name"], tags.bits, text));
client.on("subscription", (channel, name) => tell("subscription", name));
client.on("resub", (channel, name, months, text, tags) => tell("resub", name, tags["msg-param-cumulative-months"], text));
client.on("submysterygift", (channel, name, count) => tell("submysterygift", name, count));
client.on("raided", (channel, name, viewers) => tell("raided", name, viewers));
client.on("messagedeleted", (channel, name, text, tags) => tell("messagedeleted", name, tags["target-msg-id"]));
client.on("ban", (channel, name) => tell("ban", name));
client.connect().catch((error) => { tell("error", String(error)); process.exit(1); });
