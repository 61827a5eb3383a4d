"""The options of a run, each declared once: name, meaning, values, default, fields, what a continuation may do to it.

--help, parsing, the printout of a dry run, the rules of continuing, messages and the option reference are made from the
declarations. A new option is one `option(...)` in the class of its group, and its use.
"""

from sg_keras.config.options.declaration import OnlyWith, Option, Resume, option, options_of
from sg_keras.config.options.run import TrainingOptions

__all__ = ["OnlyWith", "Option", "Resume", "TrainingOptions", "option", "options_of"]
