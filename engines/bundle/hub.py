"""A repository of the Hugging Face hub into a folder: resumed, checked by the hub's own hashes.

Protocol, as the hub documents it: GET /api/models/{repository}/revision/{revision}?blobs=true lists the
files with size, LFS sha256 or git blob id; GET /{repository}/resolve/{commit}/{path} gives one (redirected,
ranges).
A gated repository answers 401 or 403 with X-Error-Code: GatedRepo. The token goes to the hub's host alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

import httpx

from engines import cache, download
from engines.addresses import SourceFailed
from engines.bars import Bars
from engines.bundle import hashes
from engines.bundle.errors import BundleError
from engines.bundle.hashes import Hashes

LISTING = ".files.json"
TOKENS = "https://huggingface.co/settings/tokens"
SKIPPED = re.compile(r"(^|/)\.|\.(pth|pt|bin|h5|msgpack|onnx|gguf)$|^(original|metal|consolidated)")


@dataclass(frozen=True, slots=True)
class Remote:
    """A file of a repository: `hash` is sha256 of large files, git's blob id (sha1) of small ones."""

    name: str
    size: int
    hash: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A repository at one commit."""

    repository: str
    commit: str
    files: tuple[Remote, ...]


class Hub:
    """Client of one hub; its token is HF_TOKEN's of the environment, if any."""

    def __init__(self, address: str) -> None:
        """Raises BundleError for what can be no token."""
        self._address = address.rstrip("/")
        token = os.environ.get("HF_TOKEN", "").strip()
        if not token.isascii():
            raise BundleError("HF_TOKEN has characters that no token has; cure: copy it once more")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def listing(self, repository: str, revision: str, skipped: re.Pattern[str] = SKIPPED) -> Listing:
        """What the repository holds at a revision, less `skipped`. Raises BundleError with the cure."""
        path = f"/api/models/{quote(repository)}/revision/{quote(revision, safe='')}?blobs=true"
        try:
            answer = httpx.get(
                f"{self._address}{path}", headers=self._headers, timeout=20, follow_redirects=True
            )
        except (ImportError, ValueError) as error:
            raise BundleError(download.PROXY) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise BundleError(
                f"{self._address} does not answer ({type(error).__name__}); cure: see that this machine"
                " reaches the network, or source=FOLDER with the same files"
            ) from error
        self._refuse(repository, revision, answer.status_code, answer.headers)
        try:
            return _listed(repository, answer.json(), skipped)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BundleError(
                f"{self._address} gave no list of {repository}; cure: try again later"
            ) from error

    def fetch(self, listing: Listing, folder: Path, bars: Bars, known: Hashes | None = None) -> None:
        """Every file of the listing in `folder`, whole, checked, and no other. Raises BundleError, OSError.

        What lies there is checked: a branch may have moved since it was fetched, to files as long."""
        known = known or Hashes(bars)
        names = {file.name for file in listing.files}
        for path in hashes.files(folder):
            if path.relative_to(folder).as_posix() not in names:
                path.unlink()
        downloader = download.Downloader(self._headers, bars.say)
        try:
            for file in listing.files:
                self._one(listing, file, folder, downloader, bars, known)
        finally:
            downloader.close()
            known.save()

    def _one(
        self,
        listing: Listing,
        file: Remote,
        folder: Path,
        down: download.Downloader,
        bars: Bars,
        known: Hashes,
    ) -> None:
        target = folder / file.name
        if target.is_file() and target.stat().st_size == file.size:
            if digest(target, file.hash, known.of) == file.hash:
                return
        target.parent.mkdir(parents=True, exist_ok=True)
        # another commit's is not gone on with
        part = target.with_name(f".{target.name}.{file.hash[:12]}.part")
        address = f"{self._address}/{quote(listing.repository)}/resolve/{listing.commit}/{quote(file.name)}"
        bar = bars.add(f"{listing.repository}/{file.name}", file.size)
        for leftover in (part.exists(), False):
            try:
                down.download(address, part, lambda done, _: bar.at(done), file.size, _sha256(file))
            except download.Refused as error:
                self._refuse(listing.repository, listing.commit, error.status, error.headers)
                raise BundleError(f"{file.name} of {listing.repository}: {error}") from error
            except SourceFailed as error:
                raise BundleError(
                    f"{listing.repository}/{file.name} cannot be fetched ({error});"
                    " cure: start again (what was fetched is kept)"
                ) from error
            if part.stat().st_size == file.size and digest(part, file.hash, known.of) == file.hash:
                part.replace(target)
                if _sha256(file):
                    known.learn(target, file.hash)
                    known.save()
                return
            part.unlink()
            if not leftover:
                break
        raise BundleError(
            f"{listing.repository}/{file.name} came damaged (another hash than the hub's); cure: start again"
        )

    def _refuse(self, repository: str, revision: str, status: int, headers: Mapping[str, str]) -> None:
        """Raises BundleError for anything but success, gated repositories explained."""
        if status < 300:
            return
        page = f"{self._address}/{repository}"
        code = headers.get("x-error-code", "")
        if code == "GatedRepo" or status in (401, 403):
            if not self._headers:
                raise BundleError(
                    f"{repository} is gated (or does not exist): its licence must be accepted; cure: accept"
                    f" it at {page}, make a read token at {TOKENS}, then HF_TOKEN=... ./build_engines.sh"
                )
            raise BundleError(
                f"{repository} is not open to the account of HF_TOKEN; cure: accept its licence at {page}"
                " (the owner may take a while to agree), and see that the token may read gated repositories"
            )
        if status == 404:
            raise BundleError(
                f"{page} has no revision '{revision}', or does not exist; cure: source=, revision="
            )
        raise BundleError(f"{self._address} answers {status} for {repository}; cure: try again later")


def _listed(repository: str, said: dict[str, object], skipped: re.Pattern[str] = SKIPPED) -> Listing:
    """Raises ValueError, KeyError, TypeError for what is no listing; BundleError for names that lead away."""
    commit, found = str(said["sha"]), []
    siblings = said["siblings"]
    if not isinstance(siblings, list) or not re.fullmatch(r"[0-9a-f]{40}", commit):
        raise ValueError("no listing")
    for each in siblings:
        name = str(each["rfilename"])
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or not name:
            raise BundleError(f"{repository} has a file '{name}' that leads out of its folder: refused")
        if skipped.search(name):
            continue
        lfs = each.get("lfs") or {}
        digest = str(lfs.get("sha256", each["blobId"]))
        if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", digest):
            raise ValueError(f"{digest[:80]!r} is no hash")
        found.append(Remote(name, int(lfs.get("size", each["size"])), digest))
    if not found:
        raise ValueError("nothing in it")
    return Listing(repository, commit, tuple(found))


def _sha256(file: Remote) -> str:
    return file.hash if len(file.hash) == 64 else ""


def digest(path: Path, like: str, sha256: Callable[[Path], str]) -> str:
    """The hash of a file in the kind that the hub told, as `like`: `sha256`, or git's blob id."""
    if len(like) == 64:
        return sha256(path)
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def place(repository: str, revision: str, root: Path | None = None) -> Path:
    """Where a repository lies, in the model cache's folder for them or in another: kept between builds."""
    return (root or cache.root() / "hub") / f"{repository.replace('/', '--')}@{revision.replace('/', '--')}"


def kept(folder: Path) -> Listing | None:
    """The listing that a folder was fetched by, or None when it is not whole by its files' sizes."""
    there = listed(folder)
    try:
        whole = there and all((folder / each.name).stat().st_size == each.size for each in there.files)
    except OSError:
        return None
    return there if whole else None


def listed(folder: Path) -> Listing | None:
    """The listing that a folder was fetched by, or None."""
    try:
        said = json.loads((folder / LISTING).read_text())
        return Listing(said["repository"], said["commit"], tuple(Remote(**each) for each in said["files"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def whole(folder: Path, sha256: Callable[[Path], str], bars: Bars) -> Listing | None:
    """The listing that a folder was fetched by, or None where a file is not as the hub told any more."""
    there = kept(folder)
    for each in there.files if there else ():
        if digest(folder / each.name, each.hash, sha256) != each.hash:
            bars.say(f"{folder / each.name} is not what was fetched any more: it is brought again")
            return None
    return there


def keep(folder: Path, listing: Listing) -> None:
    """Write down that the folder is whole."""
    fresh = folder / f"{LISTING}.new"
    fresh.write_text(json.dumps(asdict(listing), indent=1))
    fresh.replace(folder / LISTING)
