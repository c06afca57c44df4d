/** Gets each request; an object without statusCode is answered as JSON. */
export async function handle(context, body) {
  const name = body?.name ?? context.query["name"] ?? "world";
  return { hello: name };
}
