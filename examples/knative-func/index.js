/** A function of Knative's `func`, as its template has it. */
let visits = 0;

module.exports = {
  init: () => (visits = 100),
  handle(context, body) {
    visits++;
    context.log.info({ visits }, "called");
    if (context.method === "GET") return { visits, name: context.query.name ?? "nobody" };
    return { statusCode: 201, headers: { "x-visits": String(visits) }, body: { received: body } };
  },
  liveness: () => ({ status: "well" }),
};
