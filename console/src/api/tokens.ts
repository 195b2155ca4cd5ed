/** The device's tokens, shared by all tabs of this browser through localStorage. */
export interface Tokens {
  access_token: string;
  refresh_token: string;
  /** Milliseconds of this machine's clock. */
  expires_at_ms: number;
}

const KEY = "wenqu.tokens";

export function readTokens(): Tokens | null {
  const text = localStorage.getItem(KEY);
  if (!text) return null;
  try {
    return JSON.parse(text) as Tokens;
  } catch {
    return null;
  }
}

export function keepTokens(answer: { access_token: string; refresh_token: string; expires_in_s: number }): void {
  const { access_token, refresh_token, expires_in_s } = answer;
  const expires_at_ms = Date.now() + expires_in_s * 1000;
  localStorage.setItem(KEY, JSON.stringify({ access_token, refresh_token, expires_at_ms }));
}

export function dropTokens(): void {
  localStorage.removeItem(KEY);
}

/** Calls back when another tab of this browser signs out. */
export function onSignedOutElsewhere(callback: () => void): void {
  window.addEventListener("storage", (event) => {
    if (event.key === KEY && event.newValue === null) callback();
  });
}
