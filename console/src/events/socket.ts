/** The console's line to the server: says hello with the last id, resumes, reconnects with back-off. */
import type { Event } from "@/api/types";

export type LinkState = "connecting" | "live" | "waiting" | "closed";

export interface SocketOptions {
  url: string;
  /** A good access token; `isStale` after the server refused the last one. */
  token: (isStale: boolean) => Promise<string>;
  onEvent: (event: Event) => void;
  /** The server could not resume: everything must be fetched again. */
  onGap: () => void;
  onState: (state: LinkState) => void;
  /** Replaced in tests. */
  open?: (url: string, protocols: string[]) => WebSocket;
  random?: () => number;
}

type Frame =
  | { op: "ready"; event_id: number; resumed: boolean }
  | { op: "event"; id: number; event: Event }
  | { op: "ping" };

const EXPIRED = 4401;
const ABNORMAL = 1006;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** The server pings every 20 s; silence for longer means a dead line. */
const SILENCE_MS = 50_000;

export class EventSocket {
  private socket: WebSocket | null = null;
  private lastEventId: number | null = null;
  private attempt = 0;
  private isTokenStale = false;
  private isStopped = true;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private watchdog: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: SocketOptions) {}

  start(): void {
    if (!this.isStopped) return;
    this.isStopped = false;
    void this.connect();
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.retry);
    clearTimeout(this.watchdog);
    this.socket?.close();
    this.socket = null;
    this.lastEventId = null;
    this.options.onState("closed");
  }

  /** The network went away: no need to wait for the silence. */
  drop(): void {
    if (!this.isStopped) this.giveUp();
  }

  /** The network came back: do not wait for the back-off. */
  hurry(): void {
    if (this.isStopped || this.socket) return;
    clearTimeout(this.retry);
    this.attempt = 0;
    void this.connect();
  }

  say(frame: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  private async connect(): Promise<void> {
    this.options.onState("connecting");
    let token: string;
    try {
      token = await this.options.token(this.isTokenStale);
    } catch {
      this.again();
      return;
    }
    if (this.isStopped) return;
    this.isTokenStale = false;
    const make = this.options.open ?? ((url, protocols) => new WebSocket(url, protocols));
    const socket = make(this.options.url, ["wenqu", `bearer.${token}`]);
    this.socket = socket;
    socket.onopen = () => this.say({ op: "hello", last_event_id: this.lastEventId });
    socket.onmessage = (message) => this.receive(JSON.parse(String(message.data)) as Frame);
    socket.onclose = (event) => this.lost(socket, event.code);
    this.watch();
  }

  private receive(frame: Frame): void {
    this.watch();
    switch (frame.op) {
      case "ready":
        this.ready(frame.event_id, frame.resumed);
        return;
      case "event":
        if (this.lastEventId !== null && frame.id <= this.lastEventId) return;
        this.lastEventId = frame.id;
        this.options.onEvent(frame.event);
        return;
      case "ping":
        this.say({ op: "pong" });
    }
  }

  private ready(eventId: number, isResumed: boolean): void {
    this.attempt = 0;
    this.options.onState("live");
    if (isResumed) return;
    this.lastEventId = eventId;
    this.options.onGap();
  }

  private lost(socket: WebSocket, code: number): void {
    if (socket !== this.socket) return;
    this.socket = null;
    clearTimeout(this.watchdog);
    if (this.isStopped) return;
    this.isTokenStale = code === EXPIRED;
    this.again();
  }

  private again(): void {
    if (this.isStopped) return;
    this.options.onState("waiting");
    const ceiling = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.attempt);
    this.attempt += 1;
    const random = this.options.random ?? Math.random;
    this.retry = setTimeout(() => void this.connect(), ceiling * (0.5 + random() / 2));
  }

  private watch(): void {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => this.giveUp(), SILENCE_MS);
  }

  /** A dead line may take minutes to say that it is closed; we do not wait for that. */
  private giveUp(): void {
    const socket = this.socket;
    if (!socket) return;
    socket.close();
    this.lost(socket, ABNORMAL);
  }
}
