/** The words of the customers' pages, which load no more than they need. */
const ZH = {
  title: "联系客服",
  in_wechat: "点下面的按钮，进入微信客服对话",
  outside: "请在手机微信中打开本页，与客服对话",
  how: "复制链接，发到微信里点开；或用微信扫码进入",
  open: "进入对话",
  copy: "复制链接",
  copied: "已复制，请到微信中打开",
  bad_link: "链接不完整，请向为您提供链接的单位索取",
  missing: "页面不存在或已过期",
  home: "返回",
  trust: "对话由微信客服提供，工作时间由人工接待，其余时间机器人先为您解答。",
};

const EN: typeof ZH = {
  title: "Customer service",
  in_wechat: "Press the button to begin the talk in WeChat",
  outside: "Please open this page in WeChat on your phone to talk with us",
  how: "Copy the link and open it inside WeChat, or scan the code with WeChat",
  open: "Begin",
  copy: "Copy the link",
  copied: "Copied. Please open it in WeChat",
  bad_link: "The link is incomplete. Please ask for it again where you got it",
  missing: "This page does not exist or has expired",
  home: "Back",
  trust: "The talk runs in WeChat: people serve in working hours, at other times the robot answers first.",
};

export const words = /^zh/i.test(navigator.language) ? ZH : EN;
