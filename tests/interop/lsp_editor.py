"""An editor on python-lsp-jsonrpc, the library of Python's language server: `lsp_editor.py SERVER [WORDS]`."""

import queue
import subprocess
import sys
import threading

from pylsp_jsonrpc.endpoint import Endpoint
from pylsp_jsonrpc.exceptions import JsonRpcMethodNotFound
from pylsp_jsonrpc.streams import JsonRpcStreamReader, JsonRpcStreamWriter

LIMIT = 30  # Seconds for an answer. Many times what it takes.
LINES = 10_000

server = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
told = queue.Queue()
endpoint = Endpoint({"textDocument/publishDiagnostics": told.put}, JsonRpcStreamWriter(server.stdin).write)
listening = threading.Thread(target=JsonRpcStreamReader(server.stdout).listen, args=(endpoint.consume,), daemon=True)
listening.start()


def ask(method, parameters=None):
    return endpoint.request(method, parameters).result(timeout=LIMIT)


print("capabilities", ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})["capabilities"])
endpoint.notify("initialized", {})
text = "".join("é" * (number % 200) + "\n" for number in range(LINES))
document = {"uri": "file:///long", "languageId": "text", "version": 1, "text": text}
endpoint.notify("textDocument/didOpen", {"textDocument": document})
print("long", len(told.get(timeout=LIMIT)["diagnostics"]))
try:
    ask("textDocument/hover", {})
except JsonRpcMethodNotFound as refused:
    print("refused", refused.message)
assert ask("shutdown") is None
endpoint.notify("exit")
print("exit", server.wait(timeout=LIMIT))
endpoint.shutdown()
