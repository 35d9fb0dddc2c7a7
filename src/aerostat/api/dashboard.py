"""The dashboard's files, as shipped: nothing is built, and nothing comes from elsewhere."""

from importlib import resources

from fastapi import FastAPI, HTTPException, Response

_KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    # The page talks to its own daemon alone, whatever text a guest manages to get onto it.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_VENDOR = {
    "uplot.js": "vendor/uplot/uPlot.iife.min.js",
    "uplot.css": "vendor/uplot/uPlot.min.css",
}


def dashboard_routes(app: FastAPI) -> None:
    """Serve the page at ``/`` and its files under ``/static/``."""
    files = _files()

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        return _served(files, "index.html")

    @app.get("/static/{name}", include_in_schema=False)
    async def static(name: str) -> Response:
        return _served(files, name)


def _files() -> dict[str, bytes]:
    own = resources.files("aerostat.api").joinpath("static")
    files = {file.name: file.read_bytes() for file in own.iterdir() if file.is_file()}
    shared = resources.files("aerostat.present")
    return files | {name: shared.joinpath(path).read_bytes() for name, path in _VENDOR.items()}


def _served(files: dict[str, bytes], name: str) -> Response:
    if name not in files:
        raise HTTPException(404, "there is no such file")
    kind = _KINDS.get(name[name.rfind(".") :], "application/octet-stream")
    return Response(files[name], media_type=kind, headers=_HEADERS)
