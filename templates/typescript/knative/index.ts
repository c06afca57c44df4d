interface Context {
  readonly method: string;
  readonly query: Readonly<Record<string, string>>;
}

interface Body {
  readonly name?: string;
}

/** Gets each request; an object without statusCode is answered as JSON. */
export async function handle(context: Context, body?: Body) {
  const name = body?.name ?? context.query["name"] ?? "world";
  return { hello: name };
}
