// The socket that brings what plugins inject: JSON text frames, opened again whenever it closes.

const FIRST = 250, MOST = 4000; // milliseconds between tries

export class Link {
  /** `take(message)` gets every message; `lost()` is told whenever the server is gone. */
  constructor(take, lost) {
    this.take = take;
    this.lost = lost;
    this.wait = FIRST;
    this.open();
  }

  open() {
    const socket = new WebSocket(`ws://${location.host}/feed`);
    socket.onopen = () => { this.wait = FIRST; };
    socket.onmessage = ({ data }) => this.take(JSON.parse(data));
    socket.onclose = () => {
      this.lost();
      setTimeout(() => this.open(), this.wait * (0.75 + Math.random() / 2));
      this.wait = Math.min(MOST, this.wait * 2);
    };
  }
}
