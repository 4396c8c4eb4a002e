"""Pictures of messages and menus, drawn on the spot."""

from xml.sax.saxutils import escape

from aiohttp import web

from tests.sandbox.phone.phone_messages import rich_menu


async def picture(request: web.Request) -> web.Response:
    draw = {"menu.svg": _menu, "star.svg": _star}.get(request.match_info["name"], _hall)
    return web.Response(text=draw(), content_type="image/svg+xml")


def _svg(width: int, height: int, content: str) -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">{content}</svg>'


def _star() -> str:
    return _svg(20, 20, '<path fill="#b8860b" d="M10 1l3 6 6 1-4.500 4 1 7-5.500-3-5.500 3 1-7L1 8l6-1z"/>')


def _hall() -> str:
    return _svg(
        200,
        130,
        '<path fill="#bcd4e6" d="M0 0h200v130H0z"/><path fill="#7a9a6a" d="M0 90h200v40H0z"/>'
        '<path fill="#8c4a3a" d="M50 55l50-30 50 30z"/><path fill="#f3ead8" d="M60 55h80v45H60z"/>',
    )


def _menu() -> str:
    colours = ["#a3201f", "#23497e", "#2f6b3c", "#5a3d8a", "#8a5200", "#2b6670"]
    tiles = []
    for index, area in enumerate(rich_menu()["areas"]):
        x, y = 833 * (index % 3) + 20, 843 * (index // 3) + 20
        tiles.append(f'<rect x="{x}" y="{y}" width="793" height="803" rx="60" fill="{colours[index]}"/>')
        label = escape(area["action"]["label"])
        tiles.append(
            f'<text x="{x + 396}" y="{y + 440}" font-size="96" fill="#fff" text-anchor="middle" '
            f'font-family="sans-serif">{label}</text>'
        )
    return _svg(2500, 1686, "".join(tiles))
