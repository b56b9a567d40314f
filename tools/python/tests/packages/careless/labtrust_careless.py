"""Nothing that works."""


class Careful:
    """Has the name of somebody else's agent."""

    def act(self, observation):
        return 0
