import functions_framework


@functions_framework.http
def hello(request):
    name = (request.get_json(silent=True) or {}).get("name") or request.args.get("name", "you")
    return {"hello": name}
