"""The package in ordinary Python, against a host in memory."""

import json
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

from tapline import (
    AsyncContext,
    Completion,
    CompletionRequest,
    Context,
    DeclarationError,
    Event,
    Failure,
    Finding,
    Flow,
    NodeRequest,
    ValidationRequest,
    declaration,
    hook,
    init,
    method,
    node,
    on,
    plugin,
    provider,
    provides,
    validator,
)
from tapline.manifest import described
from tapline.testing import FakeHost, TestPlugin


@plugin(id="shout", version="1.0.0", depends_on=[{"id": "numbers"}])
class Shout:
    @init
    def init(self, config):
        self.suffix = config.get("suffix", "")

    @hook("greet", kind="around", priority=40, on_failure="skip")
    async def shout(self, context: AsyncContext) -> None:
        await context.next()
        context.write("output", context.read("output").upper() + self.suffix)

    @hook("greet", kind="before")
    def stop_early(self, context: Context):
        context.write("output", "nobody")
        return Flow.FINISH

    @node("louder", schema={"type": "object"})
    def louder(self, context: Context, request: NodeRequest):
        return request.config["text"] + "!"

    @provider("parrot")
    async def complete(self, context: AsyncContext, request: CompletionRequest) -> Completion:
        return Completion(request.prompt, "parrot")

    @on("a.b")
    def heard(self, context: Context, event: Event) -> None:
        context.publish("a.c", [event.topic, event.payload, event.missed])

    @provides("provider", "parrot", method="embed")
    def embed(self, context: Context, request):
        return {"vectors": [[len(text)] for text in request["texts"]], "model": "parrot"}

    @validator("quiet")
    def quiet(self, context: Context, request: ValidationRequest):
        return [Finding("it is loud", rule=request.config)] if request.value.endswith("!") else []

    @method
    def sum(self, context: Context, numbers):
        return sum(numbers)

    @method
    async def later(self, context: AsyncContext, request):
        await context.sleep(0.5)
        return await context.relay("numbers", "count", request, within=60)


class PluginTest(unittest.TestCase):
    def test_decorators_become_the_manifest_in_its_words(self) -> None:
        manifest = Shout.__dict__[declaration.MARK].manifest
        self.assertEqual(manifest["plugin"]["depends_on"], [{"id": "numbers"}])
        around = {"name": "shout", "point": "greet", "kind": "around", "priority": 40, "on_failure": "skip"}
        self.assertEqual(manifest["hook"][0], around)
        provided = [(one["point"], one["key"], one["methods"]) for one in manifest["provides"]]
        expected = [("node", "louder", ["handle"]), ("provider", "parrot", ["complete", "embed"])]
        expected += [("validator", "quiet", ["validate"]), ("plugin", "shout", ["sum", "later"])]
        self.assertEqual(provided, expected)
        self.assertEqual(json.loads(manifest["provides"][0]["schema"]), {"type": "object"})
        self.assertEqual(manifest["requires"], {"events": {"subscribe": ["a.b"]}})

    def test_a_request_has_all_that_is_known_and_nothing_of_what_is_not(self) -> None:
        asked = {"messages": [{"role": "user", "content": "hi"}], "seed": 1, "model": None, "of_tomorrow": True}
        request = CompletionRequest.of(asked)
        self.assertEqual((request.prompt, request.messages, request.seed), ("", asked["messages"], 1))

    def test_a_process_says_how_it_is_started_and_that_it_needs_python(self) -> None:
        @plugin(id="own", version="1.0.0", runtime="process", idle="5m", depends_on=[{"id": "numbers"}])
        class Own:
            pass

        manifest = Own.__dict__[declaration.MARK].manifest
        command = ["python3", "-m", "tapline.process", "plugin"]
        self.assertEqual(manifest["process"], {"command": command, "idle": "5m"})
        self.assertEqual(manifest["plugin"]["runtime"], "process")
        self.assertEqual(manifest["plugin"]["depends_on"][1], {"capability": "python", "version": ">=3.11"})
        with self.assertRaises(DeclarationError):
            plugin(id="own", version="1.0.0", lazy=True)(type("Own", (), {}))

    def test_methods_are_run_against_a_host_that_holds_the_context(self) -> None:
        shout = TestPlugin(Shout, {"suffix": "?"})
        host = FakeHost(input="Ada")
        host.inner = lambda context: context.update(output=f"Hello, {context['input']}")
        self.assertEqual(shout.call("around", "shout", host), Flow.PROCEED)
        self.assertEqual(host.context["output"], "HELLO, ADA?")
        self.assertEqual(shout.call("before", "stop_early", FakeHost()), Flow.FINISH)

    def test_handlers_are_asked_and_answer_in_the_shape_of_their_role(self) -> None:
        shout = TestPlugin(Shout)
        host = FakeHost(input={"with": {"text": "hey"}})
        shout.call("handle", "node/louder", host)
        self.assertEqual(host.context["output"], "hey!")
        host = FakeHost(input={"prompt": "hello"})
        shout.call("handle", "provider/parrot", host, "complete")
        self.assertEqual(host.context["output"], {"output": "hello", "model": "parrot"})
        host = FakeHost(input={"texts": ["a", "bc"]})
        shout.call("handle", "provider/parrot", host, "embed")
        self.assertEqual(host.context["output"]["vectors"], [[1], [2]])
        host = FakeHost(input={"value": "hey!", "with": "loud"})
        shout.call("handle", "validator/quiet", host, "validate")
        self.assertEqual(host.context["output"], {"errors": [{"message": "it is loud", "path": "", "rule": "loud"}]})
        with self.assertRaises(Failure) as refused:
            shout.call("handle", "node/louder", FakeHost(input=3))
        self.assertEqual(refused.exception.code, "invalid-request")
        host = FakeHost(input={"topic": "a.b", "payload": 1})
        shout.call("event", "heard", host)
        self.assertEqual(host.published, [("a.c", ["a.b", 1, 0])])

    def test_an_answer_is_waited_for_and_passed_on_with_its_pieces(self) -> None:
        host = FakeHost()
        host.answers["numbers", "count"] = 2
        host.pieces["numbers", "count"] = [0, 1]
        TestPlugin(Shout).call("handle", "plugin/shout", host, "later")
        self.assertEqual((host.context["output"], host.emitted, host.time), (2, [0, 1], 500_000_000))

    def test_what_is_not_declared_is_a_failure_with_a_code(self) -> None:
        shout = TestPlugin(Shout)
        cases = [("after", "shout", "no-such-hook"), ("event", "x", "no-such-subscription")]
        cases += [("handle", "node/x", "no-such-method"), ("export-state", "", "no-state")]
        for kind, name, code in cases:
            with self.assertRaises(Failure) as failure:
                shout.call(kind, name, FakeHost())
            self.assertEqual(failure.exception.code, code)


class MistakeTest(unittest.TestCase):
    def error(self, source: str) -> str:
        """What is wrong with a module of this source, with files as the author calls them."""
        sys.modules.pop("plugin", None)
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "plugin.py").write_text(source, "utf-8")
            try:
                found: dict[str, Any] = described(folder)
            finally:
                sys.path.remove(folder)
        return found["error"].replace(f"{folder}/", "")

    def test_a_declaration_that_makes_no_sense_names_the_authors_line(self) -> None:
        head = "from tapline import *\n@plugin(id='a', version='1.0.0')\nclass A:\n"
        together = "`@export_state` and `@import_state` stand together"
        cases = {
            "    @hook('p', kind='around')\n    def a(self): pass": "plugin.py:4: `a` takes one parameter besides",
            "    @init\n    def a(self): pass\n    @init\n    def b(self): pass": "plugin.py:6: there is another `@init`",
            "    @export_state\n    def a(self): pass": f"plugin.py:2: {together}",
            "    @node('a', schema='no.json')\n    def a(self, context): pass": "plugin.py:4: schema file `no.json`: ",
        }
        for body, expected in cases.items():
            self.assertTrue(self.error(head + body).startswith(expected), self.error(head + body))

    def test_an_error_in_the_authors_module_is_shown_with_its_lines_alone(self) -> None:
        error = self.error("def f():\n    return 1 / 0\nf()\n")
        self.assertIn('File "plugin.py", line 2, in f', error)
        self.assertIn("ZeroDivisionError", error)
        self.assertNotIn("importlib", error)
        error = self.error("def f(:\n")
        self.assertIn('File "plugin.py", line 1', error)
        self.assertNotIn("Traceback", error)

    def test_a_module_without_a_plugin_says_so(self) -> None:
        self.assertIn("there are 0 classes under `@plugin`", self.error("x = 1\n"))
        with self.assertRaises(DeclarationError):
            plugin(id="a", version="1.0.0")(3)  # type: ignore[type-var]


if __name__ == "__main__":
    unittest.main()
