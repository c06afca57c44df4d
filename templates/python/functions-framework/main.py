import functions_framework


@functions_framework.http
def hello(request):
    name = request.args.get("name", "world")
    return f"Hello, {name}!\n"
