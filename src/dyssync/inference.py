"""Networks opened to be asked, in one way: one thread each, nothing of a patient kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import onnxruntime

Session: TypeAlias = "onnxruntime.InferenceSession"


def open_network(data: bytes) -> Session:
    """Return a session of ONNX Runtime on this processor.

    Args:
        data: an ONNX file, of ours; nothing else must ever reach the runtime.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # see dyssync.workers
    # It would keep the memory that the largest picture took, and what stood in it.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3  # errors; they are raised as well
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
