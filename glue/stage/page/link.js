// The socket for events and buttons: JSON both ways, opened again whenever it closes.

const FIRST = 300, MOST = 4000; // milliseconds between tries

export class Link {
  /** `take(message)` gets every message; `changed(open)` is told when the socket opens and closes. */
  constructor(take, changed) {
    this.take = take;
    this.changed = changed;
    this.wait = FIRST;
    this.open();
  }

  open() {
    this.socket = new WebSocket(`${location.protocol.replace("http", "ws")}//${location.host}/ws${location.search}`);
    this.socket.onopen = () => { this.wait = FIRST; this.changed(true); };
    this.socket.onmessage = ({ data }) => this.take(JSON.parse(data));
    this.socket.onclose = () => {
      this.changed(false);
      setTimeout(() => this.open(), this.wait);
      this.wait = Math.min(MOST, this.wait * 2);
    };
  }

  /** Send a message; false where nothing is connected, so that nothing typed is lost in silence. */
  send(message) {
    if (this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }
}
