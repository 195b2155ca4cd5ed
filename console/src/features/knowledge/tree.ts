import type { CategoryView } from "@/api/types";

export interface CategoryNode extends CategoryView {
  children: CategoryNode[];
}

/** Parents come before their children. */
export function treeOf(rows: readonly CategoryView[]): CategoryNode[] {
  const known = new Map<string, CategoryNode>();
  const roots: CategoryNode[] = [];
  for (const row of rows) {
    const node = { ...row, children: [] };
    known.set(row.path, node);
    (known.get(row.parent)?.children ?? roots).push(node);
  }
  return roots;
}

/** Where a dragged category goes: its new path, and its place among the new siblings. */
export function placeOf(rows: readonly CategoryView[], dragged: CategoryView, goal: CategoryView, where: string): { to: string; position: number } {
  const parent = where === "inner" ? goal.path : goal.parent;
  const siblings = rows.filter((row) => row.parent === parent && row.path !== dragged.path);
  const at = siblings.findIndex((row) => row.path === goal.path);
  const position = where === "inner" ? siblings.length : at + (where === "after" ? 1 : 0);
  return { to: parent ? `${parent}/${dragged.name}` : dragged.name, position };
}
