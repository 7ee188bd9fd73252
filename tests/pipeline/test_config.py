import pickle

import pytest

from mien.detection import DetectorConfig
from mien.errors import BadOption
from mien.pipeline.config import AnalyzerConfig


def test_config_from_toml(tmp_path):
    path = tmp_path / "analyzer.toml"
    path.write_text(
        'heads = []\nthreads = 1\n[detector]\nmin_face_size = 40\nrotations = [0, 90]\n[models]\nlandmarks = "x.onnx"\n'
        '[landmarks]\ncontour = "3d"\n'
    )
    config = AnalyzerConfig.from_toml(path)
    assert config.detector == DetectorConfig(min_face_size=40, rotations=(0, 90))
    assert (config.heads, config.threads, config.models.landmarks) == ((), 1, "x.onnx")
    assert config.landmarks.contour == "3d"
    assert pickle.loads(pickle.dumps(config)) == config


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("threads = 'a'", "threads='a': must be a whole number or None"),
        ("threads = true", "threads=True: must be a whole number"),
        ("heads = ['age']", "unknown head 'age'; choose from landmarks"),
        ("[detector]\nmin_face = 40", "detector: unknown option 'min_face'; did you mean 'min_face_size'"),
        ("[detector]\nmin_face_size = '40'", "min_face_size='40': must be a number"),
        ("[landmarks]\nrefinement_steps = 3", "refinement_steps=3: must be between 1 and 2"),
        ("x = ", "not valid TOML"),
    ],
)
def test_errors_name_file_key_and_cure(tmp_path, text, message):
    path = tmp_path / "analyzer.toml"
    path.write_text(text)
    with pytest.raises(BadOption, match=message):
        AnalyzerConfig.from_toml(path)


def test_missing_file(tmp_path):
    with pytest.raises(BadOption, match=r"gone.toml: cannot be read"):
        AnalyzerConfig.from_toml(tmp_path / "gone.toml")
