// The sound's own socket on its own thread: packets go straight to the audio thread, whatever the page draws.
// It also works out when a sample is heard on the show's clock, which is what moves the mouth.

const FIRST = 300, MOST = 4000; // milliseconds between tries to connect
const SYNCS = 8; // the fastest of so many answers sets the clock
const QUICK = 60, SLOW = 1000; // milliseconds between questions about the time

let feed; // port to the worklet
let socket;
let wait = FIRST;
let wanted = null; // {name, asked, expects}: this page can play
let rate = 0;
let mapping = null; // the worklet's last report
let clock = null; // {context, at}: this context time was heard at that time (ms, absolute)
let syncs = []; // {trip, ahead}: seconds; ahead = show clock - this clock
let mine = false;

const now = () => performance.timeOrigin + performance.now();

function tell(message) {
  if (socket?.readyState !== WebSocket.OPEN) return false;
  socket.send(JSON.stringify(message));
  return true;
}

function connect(url) {
  socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    wait = FIRST;
    syncs = [];
    sync();
    claim();
  };
  socket.onmessage = ({ data }) => {
    if (typeof data !== "string") feed.postMessage(data, [data]);
    else hear(JSON.parse(data));
  };
  socket.onclose = () => {
    mine = false;
    postMessage({ player: "", you: false });
    setTimeout(connect, wait, url);
    wait = Math.min(MOST, wait * 2);
  };
}

function hear(message) {
  if (message.kind === "sync") synced(message);
  if (message.kind !== "player") return;
  mine = message.you;
  postMessage({ player: message.name, you: mine });
}

function claim() {
  // Asked for once: after a reconnection nobody is pushed aside.
  if (wanted && tell({ kind: "claim", ...wanted })) wanted.asked = false;
}

function sync() { tell({ kind: "sync", sent: now() }); }

function synced({ sent, now: show }) {
  const got = now();
  syncs = [...syncs, { trip: got - sent, ahead: show - (sent + got) / 2000 }].slice(-SYNCS);
  setTimeout(sync, syncs.length < SYNCS ? QUICK : SLOW);
}

/** Report which sample is being heard, and when that is on the show's clock. */
function report() {
  if (!mine || !mapping || !clock || !syncs.length) return;
  const best = syncs.reduce((a, b) => (b.trip < a.trip ? b : a));
  const show = clock.at / 1000 + best.ahead;
  postMessage({ heard: { context: clock.context, show } });
  tell({
    kind: "position",
    sample: clock.context * rate - mapping.offset,
    heard_at: show,
    underruns: mapping.underruns,
    held: mapping.held,
  });
}

onmessage = ({ data }) => {
  if (data.feed) {
    feed = data.feed;
    rate = data.rate;
    feed.onmessage = (message) => {
      mapping = message.data;
      postMessage({ mapping });
      report();
    };
    connect(data.url);
  }
  if (data.clock) clock = data.clock;
  if (data.claim) {
    wanted = data.claim;
    claim();
  }
  if (data.release) {
    wanted = null;
    tell({ kind: "release" });
  }
};
