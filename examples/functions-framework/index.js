/** Two functions of the Functions Framework; FUNCTION_TARGET or the start script says which one is meant. */
const functions = require("@google-cloud/functions-framework");

functions.http("hello", (req, res) => {
  res.status(200).json({ hello: req.query.name ?? req.body.name ?? "world", path: req.path });
});

functions.cloudEvent("listen", (event) => {
  console.log("heard", event.type);
});
