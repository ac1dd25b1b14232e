"""The conversation that is measured: twenty turns as an actor might write them. Used for nothing but speed."""

TURNS = (
    "I keep postponing difficult talks in my team",
    "Because three new people join us in March and they copy how we behave",
    "I would notice it if I raised a problem the same week it came up",
    "First I will write down the one talk I have avoided the longest",
    "By the end of February I want to have had that talk",
    "It would help if my mentor told me how she prepares for such moments",
    "I think what scares me is that people go quiet and I fill the silence",
    "Last autumn I waited so long that a colleague asked for another project",
    "My manager says it is part of the job but nobody showed me how",
    "When I do speak up I talk too fast and then I apologise for it",
    "Perhaps I could begin with a talk where less is at stake",
    "There is a developer who always comes late to our planning meeting",
    "I have never told him that it annoys me and the others notice",
    "He might have a reason that I know nothing about",
    "I could ask him for ten minutes after the meeting on some quiet day",
    "What I want to say is that I see it and want to understand it",
    "It feels easier when I think of it as asking and not as scolding",
    "Afterwards I would write two lines about how it went",
    "And I would bring those two lines to my mentor",
    "If that works I will take the harder talk next",
)
