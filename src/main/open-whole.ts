/**
 * Opens what is made of many parts: each part leaves in `closers` how it is undone. Where `assemble` fails, what was
 * opened so far is closed again before it rejects. `close` undoes all, once, however often it is called.
 */
export async function openWhole<T extends object>(
  assemble: (closers: AsyncDisposableStack) => Promise<T>,
): Promise<T & { close(): Promise<void> }> {
  const closers = new AsyncDisposableStack();
  try {
    const parts = await assemble(closers);
    const undo = closers.move();
    let closing: Promise<void> | undefined;
    return { ...parts, close: () => (closing ??= undo.disposeAsync()) };
  } catch (error) {
    await closers.disposeAsync();
    throw error;
  }
}
