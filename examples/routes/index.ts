/** One function per method; others get 405. */
const notes = new Map<string, string>();

export function GET(request: Request): Response {
  const note = notes.get(new URL(request.url).pathname);
  return note === undefined ? new Response("no such note\n", { status: 404 }) : new Response(note);
}

export async function PUT(request: Request): Promise<Response> {
  notes.set(new URL(request.url).pathname, await request.text());
  return new Response(null, { status: 204 });
}
