"""The one error of the rules: something a person wrote cannot be used. Raised at load, never in `decide`."""


class PolicyError(ValueError):
    """A pack, calendar, warehouse or playbook cannot be used.

    The message says what is wrong, where (file, row, key), and how to mend it.
    """

    def __init__(self, problem: str, *, where: str = "", mend: str = "") -> None:
        self.problem = problem
        self.where = where
        self.mend = mend
        place = f"{where}: " if where else ""
        advice = f" (mend: {mend})" if mend else ""
        super().__init__(f"{place}{problem}{advice}")
