/** An Express application; exported, so that ebb listens for it. `app.listen(process.env.PORT)` would do as well. */
import express from "express";

const app = express();
app.use(express.json());
app.get("/users/:id", (req, res) => res.json({ id: req.params.id }));
app.post("/users", (req, res) => res.status(201).json(req.body));

export default app;
