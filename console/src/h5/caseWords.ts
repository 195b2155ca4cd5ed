/** Words of the ticket page and the registration form. */
const ZH = {
  broken: "暂时打不开，请稍后再试", loading: "正在打开…", remote: "远程协助申请", agree: "同意", refuse: "不同意", rate: "请评价这次服务", rated: "您的评价", comment: "想说的话（可不填）", submit: "提交评价", history: "处理记录", me: "我", us: "客服", add: "补充说明", send: "提交",
  attach: "添加照片或文件", sending: "正在上传…", drop: "去掉这个文件", file: "文件", new_ticket: "提交报修", category: "问题类别", other: "其他问题", what: "问题描述", what_hint: "例如：数据上报失败，提示超时", optional: "（可不填）", yes: "是", no: "否",
  why_reopen: "还有什么没有解决（可不填）", kind: { nudged: "催单", rated: "评价", remote_asked: "请求远程协助", remote_agreed: "同意远程协助", remote_refused: "不同意远程协助", remote_started: "开始远程协助", remote_ended: "结束远程协助" },
  state: { new: "待受理", open: "处理中", waiting: "等您回复", suspended: "已挂起", resolved: "已解决", closed: "已关闭", cancelled: "已撤销" },
  step: { submitted: "已提交", accepted: "已受理", resolved: "已解决", closed: "已关闭" },
  action: { confirm: "确认已解决", reopen: "没有解决，继续处理", nudge: "催一下", cancel: "撤销工单" },
  register: "登记信息", registered: "登记完成", registered_hint: "可以回到微信继续对话了。", next: "下一步", back: "上一步", again: "请再填一次",
  ask: { name: "您的姓名", institution: "您的单位", choice: "是哪一个单位？", phone: "手机号码", code: "短信验证码", done: "" },
  resend: "没收到，重新发送",
  problem: {
    bad_name: "姓名应为 1 到 32 个字，不能全是数字", institution_unknown: "没有找到这个单位，请换个写法，或在微信里回复“转人工”", bad_phone: "手机号不正确，应为 11 位数字",
    sms_limit: "短信发得太频繁了，请 {retry_after_s} 秒后再试", sms_not_sent: "短信没有发出去。请过一分钟重新发送，或在微信里回复“转人工”",
    wrong_code: "验证码不正确", code_expired: "验证码已过期，请重新发送", too_many_attempts: "错误次数太多，请重新发送验证码",
  },
};
const EN: typeof ZH = {
  broken: "Cannot be opened now, please try again later", loading: "Opening…", remote: "Request for remote assistance", agree: "Agree", refuse: "Refuse", rate: "How was our service?", rated: "Your rating", comment: "Anything to add (optional)", submit: "Rate", history: "What happened", me: "Me", us: "Service", add: "Add something", send: "Send",
  attach: "Add a photo or file", sending: "Uploading…", drop: "Leave this file out", file: "File", new_ticket: "Report a problem", category: "Kind of problem", other: "Something else", what: "What happened", what_hint: "e.g. reporting fails with a time-out", optional: "(optional)", yes: "Yes", no: "No",
  why_reopen: "What is still not solved (optional)", kind: { nudged: "Reminded", rated: "Rated", remote_asked: "Asked for remote assistance", remote_agreed: "Agreed to remote assistance", remote_refused: "Refused remote assistance", remote_started: "Remote assistance began", remote_ended: "Remote assistance ended" },
  state: { new: "New", open: "Being worked on", waiting: "Waiting for you", suspended: "Suspended", resolved: "Resolved", closed: "Closed", cancelled: "Withdrawn" },
  step: { submitted: "Submitted", accepted: "Accepted", resolved: "Resolved", closed: "Closed" },
  action: { confirm: "It is solved", reopen: "Not solved, go on", nudge: "Remind them", cancel: "Withdraw" },
  register: "Registration", registered: "Done", registered_hint: "You can go back to the talk in WeChat.", next: "Next", back: "Back", again: "Please try once more",
  ask: { name: "Your name", institution: "Your institution", choice: "Which of these?", phone: "Mobile number", code: "Code from the message", done: "" },
  resend: "Nothing came, send it again",
  problem: {
    bad_name: "A name has 1 to 32 characters and not only digits", institution_unknown: "Not found. Try other words, or ask for a person in WeChat", bad_phone: "Not a mobile number of 11 digits",
    sms_limit: "Too many messages, please try again in {retry_after_s} s", sms_not_sent: "The message could not be sent. Try again in a minute, or ask for a person in WeChat",
    wrong_code: "Wrong code", code_expired: "The code has expired, send a new one", too_many_attempts: "Too many errors, send a new code",
  },
};
export const caseWords = /^zh/i.test(navigator.language) ? ZH : EN;

export const moment = (iso: string): string =>
  new Intl.DateTimeFormat(navigator.language, { timeZone: "Asia/Shanghai", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hour12: false }).format(new Date(iso));
