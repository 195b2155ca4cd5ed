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
