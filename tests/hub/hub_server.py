"""A Hub on this machine: it speaks the HTTP protocol of the Hub to the real `huggingface_hub` client.

Repositories with commits, branches, tags and pull requests, files in large file storage and beside it, collections,
private repositories, tokens. It keeps a log of what it was sent, and answers as a test tells it to where one does.
"""

import base64
import hashlib
import json
import re
import socket
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "hf_testtokentesttokentesttoken"
LARGE = (".parquet", ".safetensors")
NOW = "2026-01-01T00:00:00.000Z"


@dataclass
class Blob:
    """A file's content as a commit names it."""

    content: bytes
    large: bool
    digest: str = ""  # of content that lies in chunks elsewhere
    length: int = 0

    @property
    def size(self) -> int:
        return self.length or len(self.content)

    @property
    def git(self) -> str:
        content = self._pointer() if self.large else self.content
        return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()

    @property
    def sha256(self) -> str:
        return self.digest or hashlib.sha256(self.content).hexdigest()

    def _pointer(self) -> bytes:
        return f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {self.size}\n".encode()


@dataclass
class Repo:
    """One repository: commits by their ids, and what names them."""

    private: bool
    commits: dict[str, dict[str, Blob]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)  # main, refs/pr/1
    tags: dict[str, str] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)  # titles
    messages: list[str] = field(default_factory=list)

    def commit(self, ref: str, files: dict[str, Blob], message: str = "") -> str:
        content = json.dumps([ref, len(self.commits), sorted((path, blob.git) for path, blob in files.items())])
        oid = hashlib.sha1(content.encode(), usedforsecurity=False).hexdigest()
        self.commits[oid], self.refs[ref] = files, oid
        self.messages.append(message)
        return oid

    def oid(self, revision: str) -> str | None:
        return self.refs.get(revision) or self.tags.get(revision) or (revision if revision in self.commits else None)


@dataclass
class Fault:
    """What the server answers in place of doing what it was asked, to requests that match."""

    method: str
    path: str  # a regular expression
    status: int
    message: str = "planted"
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1_000


@dataclass
class State:
    """All that a Hub holds."""

    repos: dict[tuple[str, str], Repo] = field(default_factory=dict)  # (datasets, org/name)
    objects: dict[str, bytes] = field(default_factory=dict)  # large files by SHA-256
    collections: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    log: list[tuple[str, str, int]] = field(default_factory=list)  # method, path, bytes that came with it
    xet: str | None = None  # address of a content-addressed storage that large files go to, in place of uploads
    slow_put: float = 0.0  # seconds that an upload takes
    put_from: int = 10**9  # the upload, counted from 1, from which on it is slow

    def asked(self, method: str, pattern: str = "") -> list[str]:
        return [path for verb, path, _ in self.log if verb == method and re.search(pattern, path)]

    def uploads(self) -> list[str]:
        """The digests of the large files that came, in their order."""
        return [path.rpartition("/")[2] for path in self.asked("PUT", r"^/lfs/")]

    def only(self, name: str) -> Repo:
        return next(repo for (_, found), repo in self.repos.items() if found.endswith(f"/{name}"))


Answer = tuple[int, Any, dict[str, str]]


class Server(ThreadingHTTPServer):
    """Serves each connection in a thread; one that a killed client leaves is no error."""

    daemon_threads = True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.connections: list[socket.socket] = []

    def handle_error(self, *_: object) -> None:
        """Say nothing."""

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.append(request)
        super().process_request(request, client_address)

    def server_close(self) -> None:
        """Hang up on every client: none may go on talking to a Hub that is gone."""
        super().server_close()
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer goes out in one piece: two would wait for each other's acknowledgement, 40 ms each time.
    wbufsize = -1
    disable_nagle_algorithm = True
    state: State

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        split = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(split.query))
        path = split.path
        self.state.log.append((self.command, path, length))
        for fault in self.state.faults:
            if fault.method == self.command and re.search(fault.path, path) and fault.times > 0:
                fault.times -= 1
                return self._send(fault.status, {"error": fault.message}, fault.headers)
        for pattern, act in ROUTES:
            match = re.fullmatch(pattern, path)
            if match:
                return self._send(*act(self, *map(urllib.parse.unquote, match.groups())))
        return self._send(404, {"error": f"no route {self.command} {path}"}, {})

    def _send(self, status: int, value: Any, headers: dict[str, str]) -> None:
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        fields = {"Content-Type": "application/octet-stream" if isinstance(value, bytes) else "application/json"}
        for name, text in {**fields, "Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def known(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    @property
    def base(self) -> str:
        return f"http://{self.headers['Host']}"

    def repo(self, kind: str, name: str) -> Repo | None:
        found = self.state.repos.get((kind, name))
        return found if found and (self.known or not found.private) else None


NO_REPO: Answer = (401, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
NO_TOKEN: Answer = (
    401,
    {"error": "Invalid user token."},
    {"X-Error-Message": "Invalid credentials in Authorization header"},
)


def create(handler: Handler) -> Answer:
    if not handler.known:
        return NO_TOKEN
    asked = handler.json
    kind, name = f"{asked.get('type') or 'model'}s", f"{asked['organization']}/{asked['name']}"
    url = f"{handler.base}/{'' if kind == 'models' else kind + '/'}{name}"
    if (kind, name) in handler.state.repos:
        return 409, {"error": "You already created this repo", "url": url}, {}
    repo = handler.state.repos[kind, name] = Repo(private=asked.get("visibility") == "private")
    repo.commit("main", {".gitattributes": Blob(b"*.parquet filter=lfs\n", False)}, "initial commit")
    return 200, {"url": url}, {}


def info(handler: Handler, kind: str, name: str, revision: str = "main") -> Answer:
    repo = handler.repo(kind, name)
    if repo is None:
        return NO_REPO
    oid = repo.oid(revision)
    if oid is None:
        return 404, {"error": "Invalid rev id"}, {"X-Error-Code": "RevisionNotFound"}
    siblings = [{"rfilename": path} for path in sorted(repo.commits[oid])]
    return 200, {
        "_id": "1", "id": name, "author": name.split("/")[0], "sha": oid, "private": repo.private, "gated": False,
        "disabled": False, "downloads": 0, "likes": 0, "tags": [], "siblings": siblings, "createdAt": NOW,
        "lastModified": NOW,
    }, {}  # fmt: skip


def _entry(path: str, blob: Blob) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": path, "size": blob.size, "oid": blob.git}
    if blob.large:
        entry["lfs"] = {"oid": blob.sha256, "size": blob.size, "pointerSize": 134}
    return entry


def tree(handler: Handler, kind: str, name: str, revision: str, folder: str = "") -> Answer:
    repo = handler.repo(kind, name)
    if repo is None:
        return NO_REPO
    oid = repo.oid(revision)
    if oid is None:
        return 404, {"error": "Invalid rev id"}, {"X-Error-Code": "RevisionNotFound"}
    prefix = f"{folder}/" if folder else ""
    below = {path: blob for path, blob in repo.commits[oid].items() if path.startswith(prefix)}
    if folder and not below:
        return 404, {"error": "not there"}, {"X-Error-Code": "EntryNotFound"}
    recursive = handler.query.get("recursive", "false").lower() in ("true", "1")
    found: list[dict[str, Any]] = []
    for path, blob in sorted(below.items()):
        if recursive or "/" not in path[len(prefix) :]:
            found.append(_entry(path, blob))
    parts = [path[len(prefix) :].split("/")[:-1] for path in below]
    levels = [part[:depth] for part in parts for depth in range(1, len(part) + 1) if recursive or depth == 1]
    folders = sorted({prefix + "/".join(level) for level in levels})
    return 200, [*({"type": "directory", "path": path, "size": 0, "oid": "0" * 40} for path in folders), *found], {}


def paths_info(handler: Handler, kind: str, name: str, revision: str) -> Answer:
    repo = handler.repo(kind, name)
    if repo is None or (oid := repo.oid(revision)) is None:
        return NO_REPO
    asked = urllib.parse.parse_qs(handler.body.decode()).get("paths", [])
    files = repo.commits[oid]
    found = [_entry(path, files[path]) for path in asked if path in files]
    folders = [path for path in asked if any(one.startswith(f"{path}/") for one in files)]
    return 200, [*found, *({"type": "directory", "path": path, "size": 0, "oid": "0" * 40} for path in folders)], {}


def refs(handler: Handler, kind: str, name: str) -> Answer:
    repo = handler.repo(kind, name)
    if repo is None:
        return NO_REPO
    branch = {"name": "main", "ref": "refs/heads/main", "targetCommit": repo.refs["main"]}
    tags = [{"name": tag, "ref": f"refs/tags/{tag}", "targetCommit": oid} for tag, oid in repo.tags.items()]
    return 200, {"branches": [branch], "converts": [], "tags": tags}, {}


def tag(handler: Handler, kind: str, name: str, revision: str) -> Answer:
    repo = handler.repo(kind, name)
    if repo is None or not handler.known:
        return NO_REPO
    wanted = handler.json["tag"]
    if wanted in repo.tags:
        return 409, {"error": "Tag exists"}, {}
    repo.tags[wanted] = repo.oid(revision) or ""
    return 200, {}, {}


def preupload(handler: Handler, kind: str, name: str, revision: str) -> Answer:
    repo = handler.repo(kind, name)
    if repo is None or not handler.known:
        return NO_REPO
    files = repo.commits[repo.oid(revision) or repo.refs["main"]]
    told = []
    for file in handler.json["files"]:
        blob = files.get(file["path"])
        oid = None if blob is None else (blob.sha256 if blob.large else blob.git)
        mode = "lfs" if file["path"].endswith(LARGE) else "regular"
        told.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid})
    return 200, {"files": told}, {}


def lfs_batch(handler: Handler, *_: str) -> Answer:
    if not handler.known:
        return NO_TOKEN
    told = []
    for one in handler.json["objects"]:
        entry = {"oid": one["oid"], "size": one["size"]}
        if one["oid"] not in handler.state.objects:
            entry["actions"] = {
                "upload": {"href": f"{handler.base}/lfs/{one['oid']}"},
                "verify": {"href": f"{handler.base}/verify/{one['oid']}"},
            }
        told.append(entry)
    return 200, {"transfer": "basic", "objects": told}, {}


def xet_token(handler: Handler, *_: str) -> Answer:
    """Say where the content-addressed storage is: a folder, to which the client's own library then writes."""
    if not handler.known:
        return NO_TOKEN
    where, ends = handler.state.xet or "", str(int(time.time()) + 3_600)
    told = {"casUrl": where, "accessToken": "xet-token", "exp": int(ends)}
    headers = {"X-Xet-Cas-Url": where, "X-Xet-Access-Token": "xet-token", "X-Xet-Token-Expiration": ends}
    return 200, told, headers


def lfs_put(handler: Handler, oid: str) -> Answer:
    if len(handler.state.uploads()) >= handler.state.put_from:
        time.sleep(handler.state.slow_put)
    if hashlib.sha256(handler.body).hexdigest() != oid:
        return 400, {"error": "the digest is not that of the content"}, {}
    handler.state.objects[oid] = handler.body
    return 200, {}, {}


def lfs_verify(handler: Handler, oid: str) -> Answer:
    there = len(handler.state.objects.get(oid, b"")) == handler.json["size"]
    return (200 if there else 422), {}, {}


def commit(handler: Handler, kind: str, name: str, revision: str) -> Answer:
    repo = handler.repo(kind, name)
    if repo is None or not handler.known:
        return NO_REPO
    lines = [json.loads(line) for line in handler.body.splitlines()]
    header = lines[0]["value"]
    head = repo.refs[revision]
    if header.get("parentCommit") not in (None, head):
        return 412, {"error": "A commit has happened since. Please refresh and try again."}, {}
    files = dict(repo.commits[head])
    for line in lines[1:]:
        key, value = line["key"], line["value"]
        if key == "file":
            files[value["path"]] = Blob(base64.b64decode(value["content"]), False)
        elif key == "lfsFile":
            if handler.state.xet:
                # The content lies in chunks in that storage; what a commit names is its digest and size.
                files[value["path"]] = Blob(b"", True, value["oid"], value["size"])
                continue
            if value["oid"] not in handler.state.objects:
                return 400, {"error": f"LFS object {value['oid']} is not uploaded"}, {}
            files[value["path"]] = Blob(handler.state.objects[value["oid"]], True)
        elif key == "deletedFile":
            files.pop(value["path"])
    told: dict[str, Any] = {"success": True}
    if handler.query.get("create_pr") == "1":
        repo.requests.append(header["summary"])
        revision = f"refs/pr/{len(repo.requests)}"
        told["pullRequestUrl"] = f"{handler.base}/datasets/{name}/discussions/{len(repo.requests)}"
    oid = repo.commit(revision, files, header["summary"] + "\n" + header["description"])
    return 200, {**told, "commitOid": oid, "commitUrl": f"{handler.base}/{kind}/{name}/commit/{oid}"}, {}


def discussions(handler: Handler, kind: str, name: str) -> Answer:
    repo = handler.repo(kind, name)
    if repo is None:
        return NO_REPO
    told = [
        {"num": number, "title": title, "status": "open", "isPullRequest": True, "createdAt": NOW,
         "author": {"name": "somebody"}, "repo": {"name": name, "type": kind.rstrip("s")}}
        for number, title in enumerate(repo.requests, 1)
    ]  # fmt: skip
    return 200, {"discussions": told, "count": len(told), "start": 0}, {}


def resolve(handler: Handler, kind: str, name: str, revision: str, path: str) -> Answer:
    repo = handler.repo(kind, name)
    if repo is None:
        return NO_REPO
    oid = repo.oid(revision)
    blob = None if oid is None else repo.commits[oid].get(path)
    if oid is None or blob is None:
        return 404, {"error": "Entry not found"}, {"X-Error-Code": "EntryNotFound"}
    etag = blob.sha256 if blob.large else blob.git
    headers = {
        "ETag": f'"{etag}"',
        "X-Repo-Commit": oid,
        "X-Linked-Size": str(len(blob.content)),
        "Accept-Ranges": "bytes",
    }
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", handler.headers.get("Range") or "")
    if not wanted:
        return 200, blob.content, headers
    start, end = int(wanted[1]), min(int(wanted[2] or len(blob.content) - 1), len(blob.content) - 1)
    headers["Content-Range"] = f"bytes {start}-{end}/{len(blob.content)}"
    return 206, blob.content[start : end + 1], headers


def _collection(values: dict[str, Any]) -> dict[str, Any]:
    return {**values, "lastUpdated": NOW, "theme": "green", "upvotes": 0}


def collections(handler: Handler) -> Answer:
    if not handler.known:
        return NO_TOKEN
    held = handler.state.collections
    if handler.command == "GET":
        item = handler.query.get("item", "").partition("/")[2]
        found = [one for one in held.values() if not item or item in {entry["id"] for entry in one["items"]}]
        return 200, [{key: value for key, value in _collection(one).items() if key != "position"} for one in found], {}
    asked = handler.json
    slug = f"{asked['namespace']}/{asked['title'].lower()}-0123456789abcdef01234567"
    if slug in held:
        return 409, {"error": "exists", "slug": slug}, {}
    held[slug] = {
        "slug": slug, "title": asked["title"], "owner": asked["namespace"], "private": asked["private"], "items": [],
        "position": 0, "description": asked.get("description"),
    }  # fmt: skip
    return 200, _collection(held[slug]), {}


def collection(handler: Handler, slug: str) -> Answer:
    return 200, _collection(handler.state.collections[slug]), {}


def collection_items(handler: Handler, slug: str) -> Answer:
    held, asked = handler.state.collections[slug], handler.json["item"]
    if asked["id"] in {one["id"] for one in held["items"]}:
        return 409, {"error": "exists"}, {}
    held["items"].append(
        {"_id": str(len(held["items"])), "id": asked["id"], "type": asked["type"], "position": len(held["items"])}
    )
    return 200, _collection(held), {}


def validate_yaml(handler: Handler) -> Answer:
    text = handler.json["content"]
    if not text.startswith("---\n"):
        return 400, {"errors": [{"message": "no front matter"}], "warnings": []}, {}
    return 200, {"errors": [], "warnings": []}, {}


KIND, NAME = r"(datasets|models)", r"([\w.-]+/[\w.-]+)"
ROUTES: list[tuple[str, Callable[..., Answer]]] = [
    (r"/api/repos/create", create),
    (r"/api/validate-yaml", validate_yaml),
    (r"/api/collections", collections),
    (r"/api/collections/([\w.-]+/[\w.-]+)/items?", collection_items),
    (r"/api/collections/([\w.-]+/[\w.-]+)", collection),
    (rf"/api/{KIND}/{NAME}/tree/([^/]+)", tree),
    (rf"/api/{KIND}/{NAME}/tree/([^/]+)/(.+)", tree),
    (rf"/api/{KIND}/{NAME}/paths-info/([^/]+)", paths_info),
    (rf"/api/{KIND}/{NAME}/refs", refs),
    (rf"/api/{KIND}/{NAME}/tag/([^/]+)", tag),
    (rf"/api/{KIND}/{NAME}/preupload/([^/]+)", preupload),
    (rf"/api/{KIND}/{NAME}/commit/([^/]+)", commit),
    (rf"/api/{KIND}/{NAME}/discussions", discussions),
    (rf"/api/{KIND}/{NAME}/revision/([^/]+)", info),
    (rf"/api/{KIND}/{NAME}", info),
    (r"/(?:datasets/)?[\w.-]+/[\w.-]+\.git/info/lfs/objects/batch", lfs_batch),
    (rf"/api/{KIND}/{NAME}/xet-write-token/([^/]+)", xet_token),
    (r"/lfs/([0-9a-f]{64})", lfs_put),
    (r"/verify/([0-9a-f]{64})", lfs_verify),
    (rf"/(datasets)/{NAME}/resolve/([^/]+)/(.+)", resolve),
    (rf"/{NAME}/resolve/([^/]+)/(.+)", lambda handler, *rest: resolve(handler, "models", *rest)),
]


@dataclass
class LocalHub:
    """A running Hub."""

    url: str
    state: State

    @property
    def environment(self) -> dict[str, str]:
        return {"HF_ENDPOINT": self.url, "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}


@contextmanager
def running_hub() -> Iterator[LocalHub]:
    """Run a Hub until the block ends."""
    state = State()
    server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"state": state}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield LocalHub(f"http://127.0.0.1:{server.server_port}", state)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
