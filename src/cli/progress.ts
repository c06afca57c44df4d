/** What is going on, for people: one live line on a terminal, plain lines elsewhere. */
export interface Progress {
  /** A new stage: `building`, `rolling out`. Replaces the line before on a terminal. */
  stage(text: string): void;
  /** A line that stays: a warning, a tool's word. */
  line(text: string): void;
  /** Takes the live line away. */
  end(): void;
}

export interface ProgressDeps {
  /** Undefined where there is no terminal. */
  readonly terminal: { write(text: string): unknown; readonly columns?: number } | undefined;
  readonly note: (line: string) => void;
  readonly color: boolean;
}

const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/** Shows stages; each line begins with `label` where there is one. */
export function createProgress({ terminal, note, color }: ProgressDeps): Progress {
  if (!terminal) return { stage: note, line: note, end: () => undefined };
  let text = "";
  let frame = 0;
  let timer: NodeJS.Timeout | undefined;
  const clear = (): void => void terminal.write("\r\u001B[K");
  const draw = (): void => {
    const width = (terminal.columns ?? 80) - 3;
    const mark = frames[frame % frames.length] ?? "";
    terminal.write(`\r\u001B[K${color ? `\u001B[36m${mark}\u001B[0m` : mark} ${text.slice(0, width)}`);
    frame += 1;
  };
  return {
    stage(next) {
      text = next;
      draw();
      timer ??= setInterval(draw, 80);
      timer.unref();
    },
    line(line) {
      clear();
      note(line);
      if (timer) draw();
    },
    end() {
      clearInterval(timer);
      timer = undefined;
      if (text !== "") clear();
      text = "";
    },
  };
}
