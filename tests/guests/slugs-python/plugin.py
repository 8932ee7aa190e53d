import re
import unicodedata

from tapline import AsyncContext, Context, NodeRequest, hook, init, node, plugin


@plugin(
    id="slugs",
    version="0.1.0",
    description="Makes short names for addresses of titles.",
    requires={"context": {"read": ["output"], "write": ["output"]}},
)
class Slugs:
    @init
    def init(self, config: dict) -> None:
        self.longest = config.get("longest", 40)

    @node("slug", schema={"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}}})
    def slug(self, context: Context, request: NodeRequest) -> str:
        plain = unicodedata.normalize("NFKD", request.config["title"]).encode("ascii", "ignore").decode()
        return re.sub("[^a-z0-9]+", "-", plain.lower()).strip("-")

    @hook("node.execute", kind="around", when={"type": "slug"})
    async def shorten(self, context: AsyncContext) -> None:
        await context.next()
        context.write("output", context.read("output")[: self.longest].strip("-"))
