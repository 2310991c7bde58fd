// How the show begins and ends: Go where it waits for the operator, and an end that is asked for twice.

const SURE = 3000; // milliseconds in which a second press counts

export class Course {
  constructor(go, end, send, wish) {
    this.go = go;
    this.button = end;
    this.wish = wish;
    this.phase = null;
    this.timer = 0;
    go.onclick = () => send({ kind: "button", text: "go" });
    end.onclick = () => this.press();
  }

  press() {
    const sure = this.button.dataset.sure === "true";
    this.ask(!sure);
    if (sure) this.wish("end");
  }

  /** Whether the next press ends the show; that is forgotten after a while. */
  ask(sure) {
    clearTimeout(this.timer);
    if (sure) this.timer = setTimeout(() => this.ask(false), SURE);
    const leaving = this.phase === "leaving" || this.phase === "ending";
    this.button.dataset.sure = sure;
    this.button.textContent = sure ? (leaving ? "Without a goodbye?" : "Really end?") : (leaving ? "End at once" : "End show");
    this.button.title = leaving ? "What she says is cut, and all ends now" : "She says goodbye, the ending scene is shown, then all ends";
  }

  draw(phase) {
    if (phase === this.phase) return;
    this.phase = phase; // what was asked for before was about something else
    this.go.hidden = phase !== "waiting";
    this.ask(false);
  }
}
