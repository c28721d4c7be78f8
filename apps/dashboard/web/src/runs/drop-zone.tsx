import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';

interface DropZoneProps {
  disabled: boolean;
  onFile: (file: File) => void;
  children: ComponentChildren;
}

/** Takes a file that is dropped anywhere on what it holds. Buttons do the same for the keyboard. */
export function DropZone({ disabled, onFile, children }: DropZoneProps): JSX.Element {
  const [over, setOver] = useState(false);
  const drag = (event: DragEvent): void => {
    if (disabled || event.dataTransfer?.types.includes('Files') !== true) return;
    event.preventDefault();
    setOver(true);
  };
  const drop = (event: DragEvent): void => {
    if (disabled) return;
    event.preventDefault();
    setOver(false);
    const file = event.dataTransfer?.files[0];
    if (file !== undefined) onFile(file);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is for pointers; a button beside it opens the same dialog
    <div
      class={over ? 'stack drop-zone over' : 'stack drop-zone'}
      onDragEnter={drag}
      onDragOver={drag}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={drop}
    >
      {children}
    </div>
  );
}
