import { ref } from "vue";

/** Files that are dragged or pasted in. */
export function useDropTarget(take: (files: File[]) => void) {
  const isOver = ref(false);

  function onDragOver(event: DragEvent): void {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    isOver.value = true;
  }

  function onDragLeave(): void {
    isOver.value = false;
  }

  function onDrop(event: DragEvent): void {
    isOver.value = false;
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    take(files);
  }

  /** Spreadsheets paste a picture beside their text; there the text is meant. */
  function onPaste(event: ClipboardEvent): void {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0 || event.clipboardData?.getData("text/plain")) return;
    event.preventDefault();
    take(files);
  }

  return { isOver, onDragOver, onDragLeave, onDrop, onPaste };
}
