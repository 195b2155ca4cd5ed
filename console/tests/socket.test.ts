import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { EventSocket, type LinkState } from "@/events/socket";

class Wire {
  static all: Wire[] = [];
  readyState = 1;
  said: unknown[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  constructor(readonly protocols: string[]) {
    Wire.all.push(this);
  }
  send(text: string): void {
    this.said.push(JSON.parse(text));
  }
  close(): void {
    this.readyState = 3;
  }
  hears(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  breaks(code = 1006): void {
    this.onclose?.({ code });
  }
}

const event = (id: number) => ({ op: "event", id, event: { type: "article.changed", article_id: `a${id}`, is_live: true } });

function setUp() {
  const seen: unknown[] = [];
  const states: LinkState[] = [];
  const token = vi.fn((isStale: boolean) => Promise.resolve(isStale ? "fresh" : "good"));
  const onGap = vi.fn();
  const socket = new EventSocket({
    url: "ws://desk/api/v1/ws",
    token,
    onGap,
    onEvent: (one) => seen.push(one),
    onState: (state) => states.push(state),
    open: (_url, protocols) => new Wire(protocols) as unknown as WebSocket,
    random: () => 1,
  });
  return { socket, seen, states, token, onGap };
}

async function connected(index: number): Promise<Wire> {
  await vi.advanceTimersByTimeAsync(0);
  const wire = Wire.all[index];
  if (!wire) throw new Error("no connection was opened");
  wire.onopen?.();
  return wire;
}

beforeEach(() => {
  vi.useFakeTimers();
  Wire.all = [];
});
afterEach(() => vi.useRealTimers());

test("a new page says hello without an id and fetches everything once", async () => {
  const { socket, onGap, states } = setUp();
  socket.start();
  const wire = await connected(0);
  expect(wire.protocols).toEqual(["wenqu", "bearer.good"]);
  expect(wire.said).toEqual([{ op: "hello", last_event_id: null }]);
  wire.hears({ op: "ready", event_id: 7, resumed: false });
  expect(onGap).toHaveBeenCalledTimes(1);
  expect(states.at(-1)).toBe("live");
});

test("after a break it resumes from the last event, and an event told twice counts once", async () => {
  const { socket, seen, onGap } = setUp();
  socket.start();
  const first = await connected(0);
  first.hears({ op: "ready", event_id: 7, resumed: false });
  first.hears(event(8));
  first.breaks();
  await vi.advanceTimersByTimeAsync(600);
  const second = await connected(1);
  expect(second.said).toEqual([{ op: "hello", last_event_id: 8 }]);
  second.hears({ op: "ready", event_id: 8, resumed: true });
  second.hears(event(8));
  second.hears(event(9));
  expect(seen).toHaveLength(2);
  expect(onGap).toHaveBeenCalledTimes(1);
});

test("when the server cannot resume, everything is fetched again", async () => {
  const { socket, onGap } = setUp();
  socket.start();
  (await connected(0)).hears({ op: "ready", event_id: 7, resumed: false });
  Wire.all[0]?.breaks();
  await vi.advanceTimersByTimeAsync(600);
  (await connected(1)).hears({ op: "ready", event_id: 900, resumed: false });
  expect(onGap).toHaveBeenCalledTimes(2);
});

test("a refused token is replaced before the next try", async () => {
  const { socket, token } = setUp();
  socket.start();
  (await connected(0)).breaks(4401);
  await vi.advanceTimersByTimeAsync(600);
  expect((await connected(1)).protocols).toEqual(["wenqu", "bearer.fresh"]);
  expect(token.mock.calls).toEqual([[false], [true]]);
});

test("each failed try waits longer, up to the ceiling", async () => {
  const { socket } = setUp();
  socket.start();
  const waits: number[] = [];
  for (let index = 0; index < 8; index += 1) {
    (await connected(index)).breaks();
    const from = Date.now();
    while (Wire.all.length === index + 1) await vi.advanceTimersByTimeAsync(100);
    waits.push(Date.now() - from);
  }
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
});

test("a line that falls silent is given up and replaced", async () => {
  const { socket } = setUp();
  socket.start();
  (await connected(0)).hears({ op: "ready", event_id: 1, resumed: false });
  await vi.advanceTimersByTimeAsync(49_000);
  Wire.all[0]?.hears({ op: "ping" });
  expect(Wire.all[0]?.said.at(-1)).toEqual({ op: "pong" });
  await vi.advanceTimersByTimeAsync(49_000);
  expect(Wire.all).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(2000);
  expect(Wire.all).toHaveLength(2);
});

test("once stopped it stays stopped", async () => {
  const { socket } = setUp();
  socket.start();
  const wire = await connected(0);
  socket.stop();
  wire.breaks();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(Wire.all).toHaveLength(1);
});
