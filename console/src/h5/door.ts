/** Only 微信客服's own pages are doors; anything else in the address would make this page an open redirect. */
export function doorOf(search: string, origin: string): string | null {
  const given = new URLSearchParams(search).get("to") ?? "";
  try {
    const url = new URL(given);
    const isWeCom = url.protocol === "https:" && url.hostname === "work.weixin.qq.com" && url.pathname.startsWith("/kf/");
    const isSandbox = url.origin === origin && url.pathname.startsWith("/phone/");
    return isWeCom || isSandbox ? url.href : null;
  } catch {
    return null;
  }
}

export const isInWeChat = (agent: string): boolean => /MicroMessenger/i.test(agent);
