/** Rich text between the editor and the server, and as a WeCom chat shows it. */

const STORED = "attachment:";
/** The longest text message that WeCom takes, in bytes. */
const MESSAGE_BYTES = 2048;

export interface ChatPart {
  kind: "text" | "image" | "file";
  /** The words, the picture's id, or the file's name. */
  value: string;
}

export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

/** Plain text as the paragraphs of an editor. */
export const paragraphs = (text: string): string =>
  text
    .split("\n")
    .map((line) => `<p>${escaped(line) || "<br>"}</p>`)
    .join("");

const parsed = (html: string): HTMLElement => new DOMParser().parseFromString(html, "text/html").body;

/** Images wait under `data-id` until their bytes are fetched with the token. */
export function forEditor(html: string): string {
  const body = parsed(html);
  for (const image of body.querySelectorAll("img")) {
    image.dataset["id"] = (image.getAttribute("src") ?? "").replace(STORED, "");
    image.removeAttribute("src");
  }
  return body.innerHTML;
}

export function fromEditor(html: string): string {
  const body = parsed(html);
  for (const image of body.querySelectorAll("img")) {
    const id = image.dataset["id"];
    if (!id) image.remove();
    image.setAttribute("src", STORED + (id ?? ""));
    image.removeAttribute("data-id");
  }
  for (const box of body.querySelectorAll("div")) {
    const paragraph = document.createElement("p");
    paragraph.append(...box.childNodes);
    box.replaceWith(paragraph);
  }
  for (const list of body.querySelectorAll("p > ul, p > ol")) list.parentElement?.replaceWith(list);
  return body.textContent?.trim() || body.querySelector("img") ? body.innerHTML : "";
}

/** Stands on either side of an image's id in the text. */
const FENCE = "\u0000";

/** Texts and images in the order of the article, files at the end. */
export function chatParts(html: string): ChatPart[] {
  const body = parsed(html);
  const seen = new Set([""]);
  for (const image of body.querySelectorAll("img")) {
    const id = image.dataset["id"] ?? (image.getAttribute("src") ?? "").replace(STORED, "");
    image.replaceWith(seen.has(id) ? "" : FENCE + id + FENCE);
    seen.add(id);
  }
  const files = new Map<string, string>();
  for (const link of body.querySelectorAll<HTMLAnchorElement>(`a[href^="${STORED}"]`)) {
    const id = link.getAttribute("href") ?? "";
    files.set(id, files.get(id) ?? link.textContent);
    link.replaceWith(`${link.textContent}（附件${[...files.keys()].indexOf(id) + 1}）`);
  }
  const shown = words(body)
    .split(FENCE)
    .flatMap((piece, at): ChatPart[] => (at % 2 ? [{ kind: "image", value: piece }] : texts(piece)));
  return [...shown, ...[...files.values()].map((value): ChatPart => ({ kind: "file", value }))];
}

function texts(piece: string): ChatPart[] {
  const text = piece.replace(/[ \t]+\n/g, "\n").replace(/\n{3,}/g, "\n\n").trim();
  return split(text).map((value) => ({ kind: "text", value }));
}

const BLOCKS = new Set(["P", "DIV", "H1", "H2", "H3", "H4", "UL", "OL", "BLOCKQUOTE", "PRE", "TR", "TABLE"]);

function words(node: Node): string {
  return [...node.childNodes].map(wordsOf).join("");
}

function wordsOf(node: Node): string {
  if (!(node instanceof Element)) return node.textContent ?? "";
  if (node.tagName === "BR") return "\n";
  if (node.tagName === "LI") return `${mark(node)}${words(node).trim()}\n`;
  if (node.tagName === "A") return linked(words(node), node.getAttribute("href") ?? "");
  return BLOCKS.has(node.tagName) ? `${words(node)}\n` : words(node);
}

function mark(item: Element): string {
  const list = item.parentElement;
  return list?.tagName === "OL" ? `${[...list.children].indexOf(item) + 1}. ` : "· ";
}

const linked = (text: string, href: string): string => (!href || text === href ? text || href : `${text}（${href}）`);

function split(text: string): string[] {
  const parts: string[] = [];
  let part = "";
  for (const line of text.split(/(?<=\n)/)) {
    if (part && bytes(part + line) > MESSAGE_BYTES) {
      parts.push(part.trimEnd());
      part = "";
    }
    part += line;
  }
  return part.trim() ? [...parts, part] : parts;
}

const bytes = (text: string): number => new TextEncoder().encode(text).length;
