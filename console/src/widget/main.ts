/**
 * <script src="https://…/widget.js" data-to="https://work.weixin.qq.com/kf/…" data-text="在线客服" async></script>
 *
 * data-to: the account's link. data-text, data-color, data-side (left | right): how the button looks.
 * The button lives in a shadow root, so that neither page nor button changes the other's looks.
 */
(() => {
  const script = document.currentScript;
  if (!(script instanceof HTMLScriptElement)) return;
  const { to = "", text = "在线客服", color = "#0e6f73", side = "right" } = script.dataset;
  const origin = new URL(script.src).origin;
  const style = `
    button { position: fixed; bottom: 28px; ${side === "left" ? "left" : "right"}: 28px; z-index: 2147483000;
      display: flex; align-items: center; gap: 8px; padding: 12px 20px; border: 0; border-radius: 26px;
      color: #fff; font: 15px/1.2 -apple-system, "PingFang SC", "Microsoft YaHei", sans-serif; cursor: pointer;
      box-shadow: 0 6px 20px rgb(0 0 0 / 22%); transition: transform .15s; }
    button:hover { transform: translateY(-2px); }
    svg { width: 20px; height: 20px; fill: currentColor; }`;

  const open = (): void => {
    const isInWeChat = /MicroMessenger/i.test(navigator.userAgent);
    if (isInWeChat) location.href = to;
    else window.open(`${origin}/h5/?to=${encodeURIComponent(to)}`, "_blank", "noopener");
  };

  const show = (): void => {
    const host = document.createElement("div");
    const root = host.attachShadow({ mode: "closed" });
    const sheet = document.createElement("style");
    sheet.textContent = style;
    const button = document.createElement("button");
    button.style.background = color;
    button.innerHTML =
      '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 3C6.5 3 2 6.8 2 11.4c0 2.6 1.4 4.9 3.7 6.5L5 21l3.6-1.8c1 .3 2.2.5 3.4.5 5.5 0 10-3.7 10-8.3S17.5 3 12 3z"/></svg>';
    button.append(text);
    button.addEventListener("click", open);
    root.append(sheet, button);
    document.body.append(host);
  };

  if (document.body) show();
  else document.addEventListener("DOMContentLoaded", show);
})();

export {};
